// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "job/warehouse/target.h"
#include "tests/support/loading.h"

namespace sluice {
namespace {

std::string rows_of(LoadingDatabase& db) {
  return db.value("SELECT string_agg(n::text, ' ' ORDER BY n) FROM public.numbers");
}
std::string refused(LoadingDatabase& db) {
  return db.value(
      "SELECT string_agg(right(message_id::text, 2) || ' ' || sqlstate, ', ' ORDER BY message_id)"
      " FROM sluice.rejected_message WHERE reason = 'refused-by-postgres'");
}

TEST(Refusal, the_line_is_read_in_any_language) {
  EXPECT_EQ(refused_line("COPY user_logins, line 3, column locale", "user_logins"), 3U);
  EXPECT_EQ(refused_line("COPY t2, Zeile 41", "t2"), 41U);
  EXPECT_EQ(refused_line("PL/pgSQL function f() line 3 at RAISE\nCOPY t, line 12", "t"), 12U);
  EXPECT_EQ(refused_line("SQL statement \"SELECT 1 FROM ONLY x\"", "t"), std::nullopt);
  EXPECT_EQ(refused_line("COPY other, line 3", "t"), std::nullopt);
}

TEST(Refusal, a_row_that_violates_a_check_is_rejected_and_its_neighbours_load) {
  LoadingDatabase db;
  db.run("ALTER TABLE public.numbers ADD CONSTRAINT not_three CHECK (n <> 3)");
  const LoadCounts counts = loaded(db.warehouse().load(make_window(numbered(1, 5)), false));
  EXPECT_EQ(counts.loaded, 4U);
  EXPECT_EQ(counts.rejected, 1U);
  EXPECT_EQ(counts.refused, 1U);
  EXPECT_EQ(counts.rows, (std::vector<std::uint64_t>{4, 0}));
  EXPECT_EQ(rows_of(db), "1 2 4 5");
  EXPECT_EQ(refused(db), "03 23514");
  EXPECT_EQ(db.value("SELECT detail FROM sluice.rejected_message"), "not_three");
  EXPECT_EQ(db.value("SELECT rejected || ' ' || row_count FROM sluice.loaded_window"), "1 4");
  EXPECT_EQ(db.value("SELECT count(*) FROM sluice.loaded_message"), "5");
}

TEST(Refusal, the_sealed_body_is_the_masked_row_and_can_be_staged_again) {
  LoadingDatabase db;
  db.run("ALTER TABLE public.numbers ADD CHECK (n <> 2)");
  loaded(db.warehouse().load(make_window(numbered(1, 3)), false));
  const std::string hex =
      db.value("SELECT encode(substr(sealed_body, 8), 'hex') FROM sluice.rejected_message");
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  std::vector<StagedMessage> messages;
  ASSERT_TRUE(unpack(bytes, messages));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].key.sent_ms, kFirstSentMs + 2);
  EXPECT_EQ(messages[0].rows.size(), 1U);
}

TEST(Refusal, a_value_that_a_domain_refuses_is_rejected) {
  LoadingDatabase db;
  db.run(
      "CREATE DOMAIN public.short AS varchar(10) CONSTRAINT is_short CHECK (length(VALUE) < 4);"
      "ALTER TABLE public.numbers ALTER name TYPE public.short");
  auto messages = numbered(1, 4);
  messages[2].name = "too long";
  EXPECT_EQ(loaded(db.warehouse().load(make_window(messages), false)).loaded, 3U);
  EXPECT_EQ(refused(db), "03 23514");
}

TEST(Refusal, a_value_too_long_for_a_narrowed_column_is_rejected) {
  LoadingDatabase db;
  db.run("ALTER TABLE public.numbers ALTER name TYPE varchar(3)");
  auto messages = numbered(1, 4);
  messages[1].name = "too long";
  EXPECT_EQ(loaded(db.warehouse().load(make_window(messages), false)).loaded, 3U);
  EXPECT_EQ(refused(db), "02 22001");
}

TEST(Refusal, a_null_that_is_not_allowed_names_its_source) {
  LoadingDatabase db;
  db.run(
      "CREATE FUNCTION public.forget() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN IF NEW.n = 2 THEN NEW.name := NULL; END IF; RETURN NEW; END';"
      "CREATE TRIGGER forget BEFORE INSERT ON public.numbers FOR EACH ROW EXECUTE FUNCTION "
      "public.forget();"
      "ALTER TABLE public.numbers ALTER name SET NOT NULL");
  loaded(db.warehouse().load(make_window(numbered(1, 3)), false));
  EXPECT_EQ(refused(db), "02 23502");
  EXPECT_EQ(db.value("SELECT field FROM sluice.rejected_message"), "source_name");
}

TEST(Refusal, a_foreign_key_that_names_no_line_is_found_by_halving) {
  LoadingDatabase db;
  db.run(
      "CREATE TABLE public.known (n integer PRIMARY KEY); INSERT INTO public.known SELECT "
      "generate_series(1, 600);"
      "DELETE FROM public.known WHERE n IN (7, 8, 450);"
      "ALTER TABLE public.numbers ADD FOREIGN KEY (n) REFERENCES public.known DEFERRABLE INITIALLY "
      "DEFERRED");
  const LoadCounts counts = loaded(db.warehouse().load(make_window(numbered(1, 600)), false));
  EXPECT_EQ(counts.loaded, 597U);
  EXPECT_EQ(counts.refused, 3U);
  EXPECT_EQ(db.value("SELECT count(*) FROM public.numbers"), "597");
  EXPECT_EQ(db.value("SELECT string_agg(DISTINCT sqlstate, ' ') FROM sluice.rejected_message"),
            "23503");
}

TEST(Refusal, a_trigger_that_raises_at_the_end_of_the_statement_is_found_by_halving) {
  LoadingDatabase db;
  db.run(
      "CREATE FUNCTION public.object() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN IF NEW.n = 33 THEN RAISE EXCEPTION ''secret of %'', NEW.name; END IF; RAISE WARNING "
      "''noise''; RETURN NULL; END';"
      "CREATE TRIGGER object AFTER INSERT ON public.numbers FOR EACH ROW EXECUTE FUNCTION "
      "public.object()");
  EXPECT_EQ(loaded(db.warehouse().load(make_window(numbered(1, 100)), false)).loaded, 99U);
  EXPECT_EQ(db.value("SELECT sqlstate || coalesce(detail, '') FROM sluice.rejected_message"),
            "P0001");
}

TEST(Refusal, a_message_is_in_all_of_its_tables_or_in_none) {
  LoadingDatabase db;
  db.run("ALTER TABLE public.others ADD CONSTRAINT small CHECK (n < 100)");
  std::vector<TestMessage> messages;
  for (int n = 1; n <= 6; ++n)
    messages.push_back({.n = n, .second_table = n % 3 == 0 ? 100 + n : n});
  const LoadCounts counts = loaded(db.warehouse().load(make_window(messages), false));
  EXPECT_EQ(counts.loaded, 4U);
  EXPECT_EQ(counts.rows, (std::vector<std::uint64_t>{4, 4}));
  EXPECT_EQ(rows_of(db), "1 2 4 5");
  EXPECT_EQ(db.value("SELECT string_agg(n::text, ' ' ORDER BY n) FROM public.others"), "1 2 4 5");
  EXPECT_EQ(refused(db), "03 23514, 06 23514");
}

TEST(Refusal, a_thousand_refusals_in_ten_thousand_rows_end) {
  LoadingDatabase db;
  db.run("ALTER TABLE public.numbers ADD CHECK (n % 10 <> 3)");
  const LoadCounts counts = loaded(db.warehouse().load(make_window(numbered(0, 10'000)), false));
  EXPECT_EQ(counts.loaded, 9'000U);
  EXPECT_EQ(counts.refused, 1'000U);
  EXPECT_EQ(db.value("SELECT count(*) FROM public.numbers"), "9000");
  EXPECT_EQ(db.value("SELECT count(*) FROM sluice.rejected_message WHERE "
                     "get_byte(uuid_send(message_id), 15) IS NOT NULL"),
            "1000");
}

}  // namespace
}  // namespace sluice
