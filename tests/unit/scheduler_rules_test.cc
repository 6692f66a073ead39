// SPDX-License-Identifier: Apache-2.0
// What schedulers are told about exit statuses is what the program's own table says.
#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "job/base/failure.h"
#include "tests/unit/test_names.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

std::set<int> statuses(Retry retry) {
  std::set<int> all;
  for (const ExitStatus& row : exit_statuses()) {
    if (row.retry == retry) all.insert(row.status);
  }
  return all;
}

std::string text_of(const std::string& file) {
  return content_of(fs::path(SLUICE_SOURCE_DIR) / file);
}

/// The numbers of every place in `text` that `pattern` matches with its first group.
std::set<int> numbers(const std::string& text, const std::string& pattern) {
  std::set<int> all;
  const std::regex place(pattern);
  const std::regex number(R"(\d+)");
  for (std::sregex_iterator at(text.begin(), text.end(), place), end; at != end; ++at) {
    const std::string list = (*at)[1].str();
    for (std::sregex_iterator one(list.begin(), list.end(), number); one != end; ++one) {
      all.insert(std::stoi(one->str()));
    }
  }
  return all;
}

TEST(SchedulerRules, a_dag_tries_again_what_may_go_well_and_skips_what_had_nothing_to_do) {
  for (const char* file : {"airflow_dag/sluice_hourly.py", "airflow_dag/sluice_backfill.py"}) {
    const std::string dag = text_of(file);
    EXPECT_EQ(numbers(dag, R"(\nNO_RETRY = \{([\d, ]+)\})"), statuses(Retry::useless)) << file;
    const std::set<int> skipped = numbers(dag, R"(skip_on_exit_code=(\d+))");
    EXPECT_EQ(skipped, std::set{99}) << file;
    EXPECT_EQ(numbers(dag, R"(--skip-exit-code (\d+))"), skipped) << file;
  }
}

/// Each file is copied alone, so each has it.
TEST(SchedulerRules, the_operator_of_both_dags_is_the_same) {
  const auto operator_of = [](const std::string& dag) {
    const std::size_t from = dag.find("# Exit statuses that last");
    return dag.substr(from, dag.find("return SluiceHook()") - from);
  };
  const std::string hourly = operator_of(text_of("airflow_dag/sluice_hourly.py"));
  EXPECT_NE(hourly.find("class SluiceOperator"), std::string::npos) << hourly;
  EXPECT_EQ(hourly, operator_of(text_of("airflow_dag/sluice_backfill.py")));
}

TEST(SchedulerRules, the_unit_starts_again_what_may_go_well_and_fails_on_nothing_else) {
  const std::string unit = text_of("cron/systemd/sluice@.service");
  EXPECT_EQ(numbers(unit, R"(\nRestartPreventExitStatus=([\d ]+))"), statuses(Retry::useless));
  std::set<int> good = statuses(Retry::needless);
  good.erase(0);
  good.insert(143);  // `systemctl stop` is how a person ends a run
  EXPECT_EQ(numbers(unit, R"(\nSuccessExitStatus=([\d ]+))"), good);
}

TEST(SchedulerRules, a_manifest_fails_a_job_on_what_lasts_and_on_nothing_else) {
  int manifests = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(SLUICE_SOURCE_DIR) / "cron" / "kubernetes")) {
    const std::string manifest = content_of(entry.path());
    if (manifest.find("podFailurePolicy:") == std::string::npos) continue;
    if (entry.path().extension() != ".yaml") continue;
    ++manifests;
    EXPECT_EQ(numbers(manifest, R"(values: \[([\d, ]+)\])"), statuses(Retry::useless))
        << entry.path();
    EXPECT_EQ(manifest.find("skip-exit-code"), std::string::npos) << entry.path();
  }
  EXPECT_EQ(manifests, 3);
}

TEST(SchedulerRules, the_pages_name_the_statuses_that_are_not_tried_again) {
  std::string listed;
  for (const int status : statuses(Retry::useless)) {
    listed += (listed.empty() ? "" : ", ") + std::to_string(status);
  }
  for (const char* page : {"cron/README.md", "airflow_dag/README.md"}) {
    EXPECT_NE(text_of(page).find("| " + listed + " |"), std::string::npos) << page;
  }
}

}  // namespace
}  // namespace sluice
