// SPDX-License-Identifier: Apache-2.0
// `preview` shows what would become of messages and changes nothing.
#include "job/base/encoding.h"
#include "tests/end_to_end/scene.h"
#include "tests/support/packing.h"

namespace sluice {
namespace {

std::vector<boost::json::object> lines_of(const std::string& text) {
  std::vector<boost::json::object> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    all.push_back(boost::json::parse(line).as_object());
  }
  return all;
}

class Preview : public testing::Test {
 protected:
  Preview() { world.leave_out("input"); }

  /// A good message, one that is bad, and a good one.
  std::vector<std::string> bodies = {login_body("first"), R"({"user_id":"second"})",
                                     login_body("third")};

  /// As a table and a row, a rejection, a table and a row; with nobody called.
  void expect_shown(const Outcome& outcome) {
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const auto shown = lines_of(outcome.out);
    ASSERT_EQ(shown.size(), 3U) << outcome.out;
    EXPECT_EQ(shown[0].at("table"), "public.user_logins");
    const auto row = shown[0].at("row").as_object();
    EXPECT_EQ(row.at("user_id"), "first");
    EXPECT_EQ(row.at("app_version"), 10203);
    EXPECT_EQ(row.at("masked_ip").as_string().size(), 64U);
    const auto rejected = shown[1].at("rejected").as_object();
    EXPECT_EQ(rejected.at("reason"), "missing-field");
    EXPECT_EQ(rejected.at("field"), "device_type");
    EXPECT_EQ(shown[2].at("row").at("user_id"), "third");
    EXPECT_EQ(shown[2].at("row").at("masked_ip"), row.at("masked_ip"));
    for (const char* clear : {"198.19.100.7", "canary-11-2233"}) {
      EXPECT_EQ((outcome.out + outcome.err).find(clear), std::string::npos);
    }
  }

  void expect_nobody_called() { EXPECT_TRUE(world.aws().calls().empty()); }

  LoginWorld world{false};
};

TEST_F(Preview, a_line_a_message) {
  write_text(world.folder() + "/input", bodies[0] + "\n\n" + bodies[1] + "\r\n" + bodies[2]);
  // Neither queue nor database nor credentials are there to be called.
  world.variables()["PGPORT"] = "1";
  world.variables()["AWS_ENDPOINT_URL_SQS"] = "http://127.0.0.1:1";
  expect_shown(world.call({"preview", "--input", world.folder() + "/input"}));
  expect_nobody_called();
}

TEST_F(Preview, an_array_of_messages) {
  write_text(world.folder() + "/input",
             "[\n" + bodies[0] + ",\n" + bodies[1] + " , " + bodies[2] + "\n]\n");
  expect_shown(world.call({"preview", "--input", world.folder() + "/input"}));
  expect_nobody_called();
}

TEST_F(Preview, packed_messages_of_several_files) {
  write_text(world.folder() + "/one", gzip(bodies[0] + "\n"));
  write_text(world.folder() + "/two", zstd("[" + bodies[1] + "," + bodies[2] + "]"));
  expect_shown(
      world.call({"preview", "--input", world.folder() + "/one", world.folder() + "/two"}));
  expect_nobody_called();
}

TEST_F(Preview, standard_input) {
  write_text(world.folder() + "/input", bodies[0] + "\n" + bodies[1] + "\n" + bodies[2] + "\n");
  expect_shown(Program(world.folder(), {"preview", "--input", "-"}, world.variables(),
                       {"sh", "-c", "exec \"$@\" < input", "sh"})
                   .wait());
  expect_nobody_called();
}

TEST_F(Preview, wrapped_messages_are_shown_as_what_is_in_them) {
  edit_pipeline(world, "\"tables\"", R"("unwrap": "sns", "encoding": "base64", "tables")");
  std::string input;
  for (const std::string& body : bodies) {
    input += R"({"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:000000000000:logins",)"
             R"("Message":")" +
             to_base64(body) + "\"}\n";
  }
  write_text(world.folder() + "/input", input);
  expect_shown(world.call({"preview", "--input", world.folder() + "/input"}));
  expect_nobody_called();
}

TEST_F(Preview, the_messages_that_come_with_the_pipeline) {
  const Outcome outcome =
      world.call({"preview", "--input",
                  std::string(SLUICE_SOURCE_DIR) + "/pipelines/user_logins/sample.jsonl"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  int rows = 0;
  int rejections = 0;
  for (const auto& line : lines_of(outcome.out)) ++(line.contains("row") ? rows : rejections);
  EXPECT_EQ(rows, 7);
  EXPECT_EQ(rejections, 3);
}

TEST_F(Preview, an_input_that_is_missing_or_empty) {
  EXPECT_EQ(world.call({"preview", "--input", world.folder() + "/none"}).status, 78);
  write_text(world.folder() + "/input", "");
  const Outcome nothing = world.call({"preview", "--input", world.folder() + "/input"});
  EXPECT_EQ(nothing.status, 0) << nothing.err;
  EXPECT_EQ(nothing.out, "");
  write_text(world.folder() + "/input", "[]");
  EXPECT_EQ(world.call({"preview", "--input", world.folder() + "/input"}).out, "");
}

TEST_F(Preview, of_the_live_queue_gives_everything_back) {
  for (const std::string& body : bodies) world.send_body(body);
  world.variables()["PGPORT"] = "1";
  const Outcome outcome = world.call({"preview", "--from-queue", "10"});
  expect_shown(outcome);
  EXPECT_EQ(tally(world).visible, 3U);
  EXPECT_EQ(tally(world).deleted, 0U);
  EXPECT_EQ(world.aws().problems(), std::vector<std::string>{});
}

TEST_F(Preview, of_the_live_queue_takes_no_more_than_asked_for) {
  world.send(30);
  const Outcome outcome = world.call({"preview", "--from-queue", "4"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(lines_of(outcome.out).size(), 4U);
  EXPECT_EQ(tally(world).deliveries, 4U);
  EXPECT_EQ(tally(world).visible, 30U);
}

}  // namespace
}  // namespace sluice
