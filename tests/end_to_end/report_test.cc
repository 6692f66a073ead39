// SPDX-License-Identifier: Apache-2.0
// `sluice report`: what of runs and rejections comes onto the page, and where the page goes.
#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

class Report : public testing::Test {
 protected:
  LoginWorld world;

  /// The page on standard output.
  std::string page(const std::vector<std::string>& arguments = {}) {
    std::vector<std::string> words = {"report"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Outcome outcome = world.call(words);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(outcome.out.starts_with("<!doctype html>")) << outcome.out.substr(0, 200);
    EXPECT_TRUE(outcome.out.ends_with("</html>\n"));
    return outcome.out;
  }
  static boost::json::object history_in(const std::string& page) {
    const std::string begin = "id=\"history\">";
    const std::size_t from = page.find(begin) + begin.size();
    return boost::json::parse(page.substr(from, page.find("</script>", from) - from)).as_object();
  }
  boost::json::object history(const std::vector<std::string>& arguments = {}) {
    return history_in(page(arguments));
  }
  void add_run(const std::string& started_at, const std::string& pipeline = "user_logins") {
    world.database().run("INSERT INTO sluice.run VALUES (gen_random_uuid(), '" + pipeline +
                         "', '', 'one', '" + started_at + "')");
  }
};

TEST_F(Report, a_run_and_its_rejections_are_on_the_page_as_the_run_told_them) {
  world.send_good(40);
  world.send_bad(3);
  world.send_body("{");
  const Outcome run = world.run();
  ASSERT_EQ(run.status, 0) << run.err;
  const std::string html = page();
  EXPECT_NE(html.find("<h1>user_logins</h1>"), std::string::npos);
  EXPECT_NE(html.find("<dt>Messages loaded</dt><dd><b>40</b>"), std::string::npos);
  EXPECT_NE(html.find("<dt>Rejected</dt><dd><b>4</b>"), std::string::npos);
  EXPECT_NE(html.find("<b>100 %</b><small>1 run</small>"), std::string::npos);
  const boost::json::object told = history_in(html);
  EXPECT_EQ(told.at("bucket_s"), 0);
  ASSERT_EQ(told.at("points").as_array().size(), 1U);
  const auto& point = told.at("points").at(0).as_object();
  for (const char* name : {"received", "loaded", "duplicate", "rejected"}) {
    EXPECT_EQ(point.at(name).to_number<std::int64_t>(), run.count(name)) << name;
  }
  EXPECT_EQ(point.at("rows").to_number<std::int64_t>(), 40);
  EXPECT_EQ(point.at("ok"), 1);
  EXPECT_EQ(point.at("worker"), "one");
  EXPECT_EQ(point.at("seconds").to_number<double>(),
            run.summary().at("duration_s").to_number<double>());
  std::int64_t rejected = 0;
  for (const auto& each : told.at("reasons").as_array()) {
    rejected += each.at("messages").to_number<std::int64_t>();
  }
  EXPECT_EQ(rejected, 4);
  EXPECT_EQ(html.find("No run "), std::string::npos);
}

TEST_F(Report, a_period_takes_in_its_begin_and_leaves_out_its_end) {
  for (const char* time : {"2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z", "2026-11-03T10:00:00Z"})
    add_run(time);
  add_run("2026-11-02T10:00:00Z", "another");
  const auto runs = [&](const std::vector<std::string>& arguments) {
    return history(arguments).at("totals").at("runs").to_number<int>();
  };
  EXPECT_EQ(runs({}), 3);
  EXPECT_EQ(runs({"--since", "2026-11-02T10:00:00Z"}), 2);
  EXPECT_EQ(runs({"--until", "2026-11-02T10:00:00Z"}), 1);
  EXPECT_EQ(runs({"--since", "2026-11-02T11:00:00+01:00", "--until", "2026-11-03T10:00:00Z"}), 1);
  EXPECT_NE(page({"--since", "2026-11-04T00:00:00Z"}).find("No run began in this period"),
            std::string::npos);
  EXPECT_EQ(
      world.call({"report", "--since", "2026-11-02T00:00:00Z", "--until", "2026-11-02T00:00:00Z"})
          .status,
      64);
  EXPECT_EQ(world.call({"report", "--since", "yesterday"}).status, 64);
}

TEST_F(Report, ten_thousand_runs_are_thinned_and_none_is_left_out) {
  world.database().run(
      "INSERT INTO sluice.run SELECT gen_random_uuid(), 'user_logins', '', 'one', at, at, 0, "
      "'drained', '{\"status\":\"ok\",\"counts\":{\"loaded\":7}}' FROM generate_series(timestamptz "
      "'2026-01-01Z', timestamptz '2026-01-01Z' + 9999 * interval '1 hour', '1 hour') AS at");
  const boost::json::object told = history();
  const auto& points = told.at("points").as_array();
  EXPECT_EQ(told.at("bucket_s"), 12 * 3600);
  EXPECT_EQ(points.size(), 834U);
  std::int64_t loaded = 0;
  for (const auto& point : points) loaded += point.at("loaded").to_number<std::int64_t>();
  EXPECT_EQ(loaded, 70'000);
  EXPECT_EQ(told.at("totals").at("loaded"), 70'000);
}

TEST_F(Report, a_reader_may_make_it) {
  const std::string role = "reader_of_" + world.database().name();
  world.database().run("CREATE ROLE " + role + " LOGIN PASSWORD 'reads' IN ROLE sluice_reader");
  world.variables()["PGUSER"] = role;
  world.variables()["PGPASSWORD"] = "reads";
  EXPECT_EQ(history().at("totals").at("runs"), 0);
  world.database().run("REVOKE sluice_reader FROM " + role);
  EXPECT_EQ(world.call({"report"}).status, 77);
  world.database().run("DROP ROLE " + role);
}

TEST_F(Report, a_file_is_written_whole_or_stays_as_it_was) {
  const std::string path = world.folder() + "/report.html";
  const Outcome written = world.call({"report", "--output", path});
  EXPECT_EQ(written.status, 0) << written.err;
  EXPECT_EQ(written.out, "");
  EXPECT_TRUE(text_of(path).ends_with("</html>\n"));

  write_text(path, "before");
  world.variables()["PGPORT"] = "1";
  EXPECT_EQ(world.call({"report", "--output", path}).status, 75);
  EXPECT_EQ(text_of(path), "before");
}

TEST_F(Report, a_file_that_cannot_be_written_is_one_line_and_a_status) {
  const std::string path = world.folder() + "/nowhere/report.html";
  const Outcome outcome = world.call({"report", "--output", path, "--log-format", "json"});
  EXPECT_EQ(outcome.status, 78);
  const auto errors = errors_in(outcome.err);
  ASSERT_EQ(errors.size(), 1U) << outcome.err;
  EXPECT_EQ(std::string(errors[0].at("message").as_string()),
            "report " + path + ": cannot write: No such file or directory");
  EXPECT_FALSE(errors[0].at("hint").as_string().empty());
  EXPECT_EQ(outcome.out, "");
}

TEST(ReportOfNothing, a_database_without_the_schema_says_what_to_do) {
  LoginWorld world(false);
  const Outcome outcome = world.call({"report"});
  EXPECT_EQ(outcome.status, 78);
  EXPECT_NE(outcome.err.find("sluice migrate"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace sluice
