// SPDX-License-Identifier: Apache-2.0
// Text that hurts COPY, and messages of several rows of which one is bad: each message is there
// byte for byte and whole, or not at all.
#include "job/base/encoding.h"
#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr int kRecords = 5;

std::string repeated(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

void use_pipeline(LoginWorld& world, const std::string& tables) {
  write_text(world.pipeline(), R"({"version":1,"name":"hurt","queue":{"url":)"
                               R"("https://sqs.us-east-1.amazonaws.com/000000000000/login-queue"},)"
                               R"("tables":[)" +
                                   tables + "]}");
}

std::vector<std::string> texts_that_hurt() {
  std::vector<std::string> texts = {"\\.",
                                    "\\.\n",
                                    "\n\\.\n",
                                    "\\N",
                                    "N",
                                    "\\",
                                    "\\\\",
                                    "\t",
                                    "a\tb",
                                    "\r",
                                    "\r\n",
                                    "\n",
                                    "'",
                                    "\"",
                                    "\"\"",
                                    "''; DROP TABLE public.notes; --",
                                    "$$",
                                    "%s%n",
                                    "{a,b}",
                                    "NULL",
                                    "null",
                                    "PGCOPY\n\r\n",
                                    " leading and trailing ",
                                    "\u00a0\u200b\u202e",
                                    "\ufeff",
                                    "\ufffe\uffff\ufdd0",
                                    "\U0001FFFE\U0010FFFF\U0001F600",
                                    "e\u0301\u00e9",
                                    "\x7f\u0080\u009f",
                                    "",
                                    repeated("x", 1'048'000),
                                    repeated("\\.\n", 209'000),
                                    repeated("\U0001F600", 262'000)};
  for (char c = 1; c < 0x20; ++c) texts.push_back(std::string{'a', c, 'b'});
  return texts;
}

std::string note_body(int n, const std::string& text) {
  return R"({"n":)" + std::to_string(n) + R"(,"note":)" +
         boost::json::serialize(boost::json::value(text)) + "}";
}

TEST(HurtingText, comes_back_byte_for_byte_and_its_neighbours_are_untouched) {
  LoginWorld world;
  world.database().run("CREATE TABLE public.notes (n integer, note text, fixed text, behind text)");
  use_pipeline(world, R"({"table":"public.notes","columns":[
      {"column":"n","from":"n","type":"integer","required":true},
      {"column":"note","from":"note","type":"text"},
      {"column":"fixed","from":"fixed","type":"text"},
      {"column":"behind","from":"n","type":"integer"}]})");
  world.database().run("ALTER TABLE public.notes ALTER behind TYPE integer USING NULL");
  const auto texts = texts_that_hurt();
  const int count = static_cast<int>(texts.size());
  for (int n = 0; n < count; ++n) {
    const std::string body = note_body(n, texts[static_cast<std::size_t>(n)]);
    ASSERT_LE(body.size(), 1'048'576U) << n << " is no message";
    world.send_body(body);
  }
  world.send_body(R"({"n":-1,"note":null})");
  world.send_body(R"({"n":-2})");
  const Outcome outcome = world.run({"--empty-polls", "1"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("loaded"), count + 2);
  const auto rows = world.database().rows(
      "SELECT n, encode(convert_to(note, 'UTF8'), 'hex'), note IS NULL, fixed IS NULL AND behind = "
      "n FROM public.notes ORDER BY n");
  ASSERT_EQ(rows.size(), texts.size() + 2);
  for (const Row& row : rows) {
    const int n = std::stoi(row[0]);
    EXPECT_EQ(row[2], n < 0 ? "t" : "f") << n;
    EXPECT_EQ(row[3], "t") << n << ": a neighbouring column";
    if (n >= 0) {
      EXPECT_TRUE(row[1] == to_hex(texts[static_cast<std::size_t>(n)])) << n;
    }
  }
}

/// A message fills each of `kRecords` tables; in table k a record may be refused by us (no
/// integer), refused by Postgres (a CHECK), or known there already (a business key).
class WholeMessages : public testing::Test {
 protected:
  WholeMessages() {
    std::string tables;
    for (int k = 0; k < kRecords; ++k) {
      const std::string name = "public.record_" + std::to_string(k);
      world.database().run("CREATE TABLE " + name +
                           " (id integer UNIQUE, v integer CONSTRAINT not_13 CHECK (v <> 13));"
                           "INSERT INTO " +
                           name + " VALUES (" + std::to_string(kKnown + k) + ", 0)");
      tables += std::string(k > 0 ? "," : "") + R"({"table":")" + name +
                R"(","unique":["id"],"columns":[
          {"column":"id","from":"/r/)" +
                std::to_string(k) + R"(/id","type":"integer","required":true},
          {"column":"v","from":"/r/)" +
                std::to_string(k) + R"(/v","type":"integer","required":true}]})";
    }
    use_pipeline(world, tables);
    world.answer_empty_polls_at_once();
  }

  /// Record `k` is the odd one; none when it is negative.
  static std::string message(int id, int k, const std::string& odd_id, const std::string& odd_v) {
    std::string records;
    for (int i = 0; i < kRecords; ++i) {
      records += std::string(i > 0 ? "," : "") + R"({"id":)" +
                 (i == k ? odd_id : std::to_string(id)) + R"(,"v":)" + (i == k ? odd_v : "1") + "}";
    }
    return R"({"r":[)" + records + "]}";
  }

  void send_good() {
    world.send_body(message(next_id, -1, "", ""));
    good.push_back(next_id++);
  }
  void send_odd(int k, const std::string& id, const std::string& v) {
    send_good();
    const std::string text = message(next_id, k, id.empty() ? std::to_string(next_id) : id, v);
    world.send_body(text);
    ++next_id;
    send_good();
  }

  void expect_whole() {
    std::string ids;
    for (const int id : good) ids += (ids.empty() ? "" : " ") + std::to_string(id);
    for (int k = 0; k < kRecords; ++k) {
      EXPECT_EQ(world.database().value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM "
                                       "public.record_" +
                                       std::to_string(k) + " WHERE id < " + std::to_string(kKnown)),
                ids)
          << "table " << k;
    }
    EXPECT_EQ(world.left_in_queue(), 0U);
  }

  static constexpr int kKnown = 1'000'000;
  LoginWorld world;
  std::vector<int> good;
  int next_id = 1;
};

TEST_F(WholeMessages, whichever_record_is_bad_all_records_of_its_message_stay_out_and_no_others) {
  for (int k = 0; k < kRecords; ++k) {
    send_odd(k, "", "\"no integer\"");
    send_odd(k, "", "13");
    send_odd(k, std::to_string(kKnown + k), "1");
  }
  const Outcome outcome = world.run({"--empty-polls", "1"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("loaded"), static_cast<std::int64_t>(good.size()));
  EXPECT_EQ(outcome.count("rejected"), 2 * kRecords);
  EXPECT_EQ(outcome.count("duplicate"), kRecords) << "known by their business key";
  expect_books_add_up(outcome.summary());
  expect_whole();
  EXPECT_EQ(world.database().rows("SELECT reason, field, detail, sqlstate FROM "
                                  "sluice.rejected_message ORDER BY reason DESC, field"),
            [] {
              std::vector<Row> rows;
              for (int k = 0; k < kRecords; ++k) {
                rows.push_back(
                    {"wrong-type", "/r/" + std::to_string(k) + "/v", "expected an integer", ""});
              }
              for (int k = 0; k < kRecords; ++k) {
                rows.push_back({"refused-by-postgres", "", "not_13", "23514"});
              }
              return rows;
            }());

  deliver_all_again(world);
  const Outcome again = world.run({"--empty-polls", "1"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.count("duplicate"), again.count("received"));
  expect_whole();
}

TEST_F(WholeMessages, that_come_twice_in_one_window_with_a_bad_record_are_rejected_once) {
  for (int k = 0; k < kRecords; ++k) {
    send_odd(k, "", "null");
    send_odd(k, "", "13");
  }
  world.aws().faults().add({.on = "ReceiveMessage", .most = 3, .fault = {.twice = true}});
  const Outcome outcome = world.run({"--empty-polls", "1"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_GT(outcome.count("duplicate"), 0);
  EXPECT_EQ(outcome.count("rejected"), 2 * kRecords);
  expect_books_add_up(outcome.summary());
  expect_whole();
}

TEST_F(WholeMessages, stay_in_the_queue_whole_while_their_rejection_cannot_be_written) {
  world.database().run(
      "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN RAISE EXCEPTION ''no room''; END';"
      "CREATE TRIGGER refuse BEFORE INSERT ON sluice.rejected_message FOR EACH STATEMENT EXECUTE "
      "FUNCTION public.refuse()");
  send_odd(2, "", "null");
  send_odd(3, "", "13");
  const Outcome failed = world.run({"--empty-polls", "1"});
  EXPECT_NE(failed.status, 0);
  EXPECT_NE(failed.status, 65);
  EXPECT_EQ(failed.count("deleted"), 0);
  EXPECT_EQ(failed.count("carried_out"), 6);
  expect_books_add_up(failed.summary());
  EXPECT_EQ(world.left_in_queue(), 6U);
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.loaded_message"), "0");

  world.database().run("DROP TRIGGER refuse ON sluice.rejected_message");
  world.let_leases_lapse();
  const Outcome outcome = world.run({"--empty-polls", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.rejected_message"), "2");
  expect_whole();
}

}  // namespace
}  // namespace sluice
