// SPDX-License-Identifier: Apache-2.0
// One message in ten is bad. Counted, not timed: calls to SQS, windows, statements and rows sent to
// Postgres are those of a clean run, but for a stated surplus.
#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr std::int64_t kMessages = 4'000;
constexpr std::int64_t kBad = kMessages / 10;
constexpr std::int64_t kWindow = 1'000;

struct Counts {
  std::int64_t windows = 0;
  std::int64_t copies = 0;  // statements that wrote into the table, rolled back ones included
  std::int64_t rows = 0;    // rows that these sent
  std::int64_t rejection_copies = 0;
  std::int64_t commits = 0;
  std::int64_t receives = 0;
  std::int64_t deletes = 0;
};

/// Sequences do not roll back: what is counted is what was tried.
constexpr const char* kCounting = R"(
  CREATE SEQUENCE public.copies; CREATE SEQUENCE public.tried; CREATE SEQUENCE public.rejecting;
  CREATE FUNCTION public.count_up() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM nextval(TG_ARGV[0]::regclass); RETURN NEW; END';
  CREATE TRIGGER count_copies BEFORE INSERT ON public.user_logins FOR EACH STATEMENT
    EXECUTE FUNCTION public.count_up('public.copies');
  CREATE TRIGGER count_rows BEFORE INSERT ON public.user_logins FOR EACH ROW
    EXECUTE FUNCTION public.count_up('public.tried');
  CREATE TRIGGER count_rejecting BEFORE INSERT ON sluice.rejected_message FOR EACH STATEMENT
    EXECUTE FUNCTION public.count_up('public.rejecting'))";

Counts counts_with(const std::function<std::string(std::int64_t)>& body) {
  LoginWorld world;
  world.database().run(kCounting);
  world.database().run("ALTER TABLE public.user_logins ADD CHECK (device_type <> 'toaster')");
  for (std::int64_t n = 0; n < kMessages; ++n) world.send_body(body(n));
  const Outcome outcome =
      world.run({"--empty-polls", "1", "--window-messages", std::to_string(kWindow)});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), kMessages);
  EXPECT_EQ(outcome.count("deleted"), kMessages);
  EXPECT_EQ(world.left_in_queue(), 0U);
  const auto value = [&](const char* sql) { return std::stoll(world.database().value(sql)); };
  constexpr const char* kCounted = "coalesce(pg_sequence_last_value('public.";
  const auto counted = [&](const std::string& sequence) {
    return value(("SELECT " + std::string(kCounted) + sequence + "'), 0)").c_str());
  };
  auto calls = world.aws().calls();
  return {value("SELECT count(*) FROM sluice.loaded_window"),
          counted("copies"),
          counted("tried"),
          counted("rejecting"),
          value("SELECT count(DISTINCT xmin::text) FROM sluice.loaded_message"),
          static_cast<std::int64_t>(calls["ReceiveMessage"]),
          static_cast<std::int64_t>(calls["DeleteMessageBatch"])};
}

std::string good_body(std::int64_t n) { return login_body("user-" + std::to_string(n)); }

void expect_sqs_was_asked_no_more(const Counts& counts, const Counts& clean) {
  // What several receives in flight ask in vain at the end of a queue is left to chance.
  constexpr std::int64_t kReceivers = 32;
  EXPECT_LE(counts.windows, clean.windows + 1);
  EXPECT_LE(counts.receives, clean.receives + 2 * kReceivers);
  EXPECT_LE(counts.deletes, clean.deletes + counts.windows);
  EXPECT_EQ(counts.commits, counts.windows) << "one transaction a window";
}

TEST(MalformedShare, one_in_ten_costs_one_statement_a_window_and_sends_fewer_rows) {
  const Counts clean = counts_with(good_body);
  EXPECT_EQ(clean.rows, kMessages);
  EXPECT_EQ(clean.copies, clean.windows);
  EXPECT_EQ(clean.rejection_copies, 0);
  EXPECT_EQ(clean.commits, clean.windows);

  const char* const bad[] = {"{", "[]", "", R"({"user_id":7})", R"({"a":1,"a":1})"};
  const Counts malformed =
      counts_with([&](std::int64_t n) { return n % 10 == 3 ? bad[n / 10 % 5] : good_body(n); });
  expect_sqs_was_asked_no_more(malformed, clean);
  EXPECT_EQ(malformed.rows, kMessages - kBad);
  EXPECT_EQ(malformed.copies, malformed.windows);
  EXPECT_EQ(malformed.rejection_copies, malformed.windows);

  // Refused by Postgres, a row is found by its line: what was sent with it is sent again, in
  // slices.
  constexpr std::int64_t kSlice = 200;
  const Counts refused = counts_with([](std::int64_t n) {
    return login_body("user-" + std::to_string(n), n % 10 == 3 ? "toaster" : "ios");
  });
  expect_sqs_was_asked_no_more(refused, clean);
  EXPECT_EQ(refused.rejection_copies, refused.windows);
  EXPECT_LE(refused.copies, refused.windows + kMessages / kSlice + refused.windows + kBad);
  EXPECT_LE(refused.rows, kMessages + kSlice * (refused.copies - refused.windows));
  testing::Test::RecordProperty("refused_copies", std::to_string(refused.copies));
  testing::Test::RecordProperty("refused_rows", std::to_string(refused.rows));
}

}  // namespace
}  // namespace sluice
