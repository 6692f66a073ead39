// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <map>

#include <gtest/gtest.h>
#include <unistd.h>

#include "job/base/failure.h"
#include "job/base/file.h"
#include "job/config/options.h"

namespace sluice {
namespace {

Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

const Environment kNothing = environment_of({});

Settings settings(const std::vector<std::string>& arguments,
                  const Environment& environment = kNothing) {
  return Settings("run", arguments, environment);
}

std::string refusal(const std::vector<std::string>& arguments,
                    const Environment& environment = kNothing) {
  try {
    settings(arguments, environment);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.fault(), Fault::usage);
    EXPECT_FALSE(failure.hint().empty());
    return failure.message() + " | " + failure.hint();
  }
  return "";
}

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(testing::TempDir() + "sluice-settings-" + std::to_string(::getpid())) {
    write_file(path_, text, "test");
  }
  ~ConfigFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Settings, flags_win_over_environment_over_file_over_default) {
  const ConfigFile file(
      "receivers = 3\nwait-seconds = 3\nempty-polls = 3 # a comment\nrotate = true\n");
  const auto environment =
      environment_of({{"SLUICE_RECEIVERS", "4"}, {"SLUICE_WAIT_SECONDS", "4"}});
  const Settings all = settings({"--receivers", "5", "--config", file.path()}, environment);
  EXPECT_EQ(all.count("receivers"), 5);
  EXPECT_EQ(all.count("wait-seconds"), 4);
  EXPECT_EQ(all.count("empty-polls"), 3);
  EXPECT_EQ(all.count("window-messages"), 10'000);
}

TEST(Settings, several_files_stand_behind_one_flag_behind_several_or_in_lines) {
  using Paths = std::vector<std::string>;
  const Settings one("backfill", {"--input", "a b", "-", "--quiet", "--input", "c"}, kNothing);
  EXPECT_EQ(one.paths("input"), (Paths{"a b", "-", "c"}));
  EXPECT_TRUE(one.flag("quiet"));
  const Settings lines("backfill", {}, environment_of({{"SLUICE_INPUT", "a b\nc\n"}}));
  EXPECT_EQ(lines.paths("input"), (Paths{"a b", "c"}));
  EXPECT_EQ(Settings("backfill", {}, kNothing).paths("input"), Paths{});
}

TEST(Settings, every_option_is_a_flag_a_variable_and_a_line) {
  for (const Option& option : options()) {
    if (!option.is_for("run") || option.name == "config") continue;
    std::string value = option.fallback.empty() ? "" : std::string(option.fallback);
    if (value.empty()) {
      switch (option.type) {
        case Option::Type::count:
          value = std::to_string(option.least);
          break;
        case Option::Type::duration:
          value = "1s";
          break;
        case Option::Type::bytes:
          value = "1MiB";
          break;
        case Option::Type::share:
          value = "5%";
          break;
        case Option::Type::moment:
          value = "2026-11-20T10:07:00Z";
          break;
        case Option::Type::word:
          value = std::string(option.words.substr(0, option.words.find(' ')));
          break;
        case Option::Type::flag:
          value = "true";
          break;
        case Option::Type::text:
        case Option::Type::secret:
        case Option::Type::path:
        case Option::Type::paths:
          value = "x";
          break;
      }
    }
    const std::string name(option.name);
    std::vector<std::string> arguments = {"--" + name};
    if (option.type != Option::Type::flag) arguments.push_back(value);
    EXPECT_EQ(refusal(arguments), "") << name;
    EXPECT_EQ(settings(arguments).text(name), value) << name;
    EXPECT_EQ(settings({}, environment_of({{variable_of(option), value}})).text(name), value)
        << name;
    const ConfigFile file(name + " = " + value + "\n");
    EXPECT_EQ(settings({"--config", file.path()}).text(name), value) << name;
  }
}

TEST(Settings, a_value_out_of_range_is_named_wherever_it_came_from) {
  const std::pair<const char*, const char*> cases[] = {
      {"max-messages", "-1"},       {"max-messages", "x"},     {"max-runtime", "5 parsecs"},
      {"max-runtime", "-3s"},       {"window-messages", "0"},  {"window-bytes", "1XB"},
      {"receivers", "0"},           {"receivers", "129"},      {"wait-seconds", "21"},
      {"empty-polls", "0"},         {"in-flight-cap", "0"},    {"visibility-timeout", "13h"},
      {"reject-threshold", "101%"}, {"skip-exit-code", "256"}, {"log-format", "xml"},
      {"log-level", "loud"},        {"json", "perhaps"}};
  for (const auto& [name, value] : cases) {
    const std::string flag = std::string("--") + name;
    if (std::string(name) != "json") {
      EXPECT_NE(refusal({flag, value}).find(name), std::string::npos) << name << " " << value;
    }
    std::string variable = "SLUICE_";
    for (const char c : std::string(name))
      variable += c == '-' ? '_' : static_cast<char>(std::toupper(c));
    const std::string said = refusal({}, environment_of({{variable, value}}));
    EXPECT_NE(said.find(name), std::string::npos) << said;
    EXPECT_NE(said.find(variable), std::string::npos) << said;
    const ConfigFile file(std::string(name) + " = " + value + "\n");
    EXPECT_NE(refusal({"--config", file.path()}).find(name), std::string::npos) << name;
  }
}

TEST(Settings, an_unknown_flag_gets_a_suggestion_and_no_flag_is_guessed) {
  EXPECT_NE(refusal({"--max-runtme", "5s"}).find("did you mean 'max-runtime'"), std::string::npos);
  EXPECT_NE(refusal({"--max-run", "5s"}), "");
  EXPECT_NE(refusal({"--rotate"}), "");  // another command's
  EXPECT_NE(refusal({"stray"}).find("stray"), std::string::npos);
  EXPECT_NE(refusal({"--receivers"}), "");
  EXPECT_NE(refusal({"--receivers", "2", "--receivers", "3"}).find("twice"), std::string::npos);
  const ConfigFile file("max-runtme = 5s\n");
  EXPECT_NE(refusal({"--config", file.path()}).find("max-runtime"), std::string::npos);
}

TEST(Settings, an_unreadable_file_is_a_fault_of_configuration) {
  try {
    settings({"--config", "/nowhere/none.conf"});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.fault(), Fault::configuration);
    EXPECT_NE(failure.message().find("none.conf"), std::string::npos);
  }
}

TEST(Settings, a_password_on_the_command_line_is_refused_and_not_repeated) {
  for (const char* conninfo : {"postgresql://u:hidden-word@h/x", "host=h password=hidden-word",
                               "postgresql://h/x?password=hidden-word"}) {
    const std::string said = refusal({"--postgres", conninfo});
    EXPECT_NE(said.find("password"), std::string::npos) << conninfo;
    EXPECT_EQ(said.find("hidden-word"), std::string::npos);
  }
  EXPECT_EQ(refusal({"--postgres", "postgresql://u@h:5432/x"}), "");
}

TEST(Settings, a_password_from_elsewhere_is_not_shown) {
  for (const char* conninfo :
       {"postgresql://u:hidden-word@h/x", "host=h password=hidden-word dbname=x",
        "password = 'a hidden-word' host=h", "password=a\\ hidden-word", "password=a://hidden-word",
        "sslpassword=a password=hidden-word",
        "postgres://h/x?sslpassword=a&password=hidden-word"}) {
    for (const auto& shown :
         settings({}, environment_of({{"SLUICE_POSTGRES", conninfo}})).shown()) {
      EXPECT_EQ(shown.value.find("hidden-word"), std::string::npos) << shown.value;
      EXPECT_TRUE(shown.name != "postgres" || shown.origin == "SLUICE_POSTGRES");
    }
  }
}

TEST(Settings, of_a_secret_is_shown_that_it_is_set) {
  const auto value_of = [](const Settings& all, std::string_view name) {
    for (const auto& shown : all.shown()) {
      if (shown.name == name) return shown.value;
    }
    return std::string("no such option");
  };
  const Settings all = settings({"--ping-url", "https://host/hidden-word"});
  EXPECT_EQ(value_of(all, "ping-url"), "***");
  EXPECT_EQ(value_of(all, "pushgateway"), "");
  EXPECT_EQ(all.text("ping-url"), "https://host/hidden-word");
}

TEST(Settings, a_threshold_is_a_number_or_a_share) {
  EXPECT_FALSE(settings({}).threshold("reject-threshold").has_value());
  EXPECT_EQ(settings({"--reject-threshold", "7"}).threshold("reject-threshold")->count, 7U);
  const auto share = settings({"--reject-threshold", "0.1%"}).threshold("reject-threshold");
  EXPECT_TRUE(share->is_percent);
  EXPECT_DOUBLE_EQ(share->percent, 0.1);
}

TEST(Settings, the_worker_comes_from_kubernetes_when_nothing_else_names_it) {
  EXPECT_EQ(settings({}, environment_of({{"JOB_COMPLETION_INDEX", "3"}})).text("worker"), "3");
  EXPECT_EQ(settings({}, environment_of({{"JOB_COMPLETION_INDEX", "3"}, {"SLUICE_WORKER", "w"}}))
                .text("worker"),
            "w");
}

}  // namespace
}  // namespace sluice
