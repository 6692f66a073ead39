// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "job/base/copy_binary.h"
#include "job/warehouse/copy_stream.h"
#include "tests/support/postgres.h"

namespace sluice {
namespace {

const Interrupt kNever;

struct Case {
  std::string type;
  std::string literal;  // what Postgres itself would make of it
  void (*append)(std::string& tuple);
};

const Case kCases[] = {
    {"smallint", "-32768",
     [](std::string& t) { append_int16_field(t, std::numeric_limits<std::int16_t>::min()); }},
    {"integer", "-1", [](std::string& t) { append_int32_field(t, -1); }},
    {"integer", "2147483647",
     [](std::string& t) { append_int32_field(t, std::numeric_limits<std::int32_t>::max()); }},
    {"bigint", "9007199254740993",
     [](std::string& t) { append_int64_field(t, 9'007'199'254'740'993); }},
    {"real", "0.1", [](std::string& t) { append_float_field(t, 0.1F); }},
    {"real", "-0", [](std::string& t) { append_float_field(t, -0.0F); }},
    {"double precision", "2.2250738585072014e-308",
     [](std::string& t) { append_double_field(t, 2.2250738585072014e-308); }},
    {"text", "", [](std::string& t) { append_bytes_field(t, ""); }},
    {"text", "tab\t \\. \\N \"quoted\" \r\n ü😀",
     [](std::string& t) { append_bytes_field(t, "tab\t \\. \\N \"quoted\" \r\n ü😀"); }},
    {"varchar(3)", "üüü", [](std::string& t) { append_bytes_field(t, "üüü"); }},
    {"bytea", "\\x00ff0a",
     [](std::string& t) { append_bytes_field(t, std::string("\0\xff\n", 3)); }},
    {"jsonb", R"({"a": [1, null, "x"]})",
     [](std::string& t) { append_jsonb_field(t, R"({"a":[1,null,"x"]})"); }},
    {"boolean", "t", [](std::string& t) { append_bool_field(t, true); }},
    {"boolean", "f", [](std::string& t) { append_bool_field(t, false); }},
    {"date", "2000-01-01", [](std::string& t) { append_date_field(t, kPostgresEpochDays); }},
    {"date", "1970-01-01", [](std::string& t) { append_date_field(t, 0); }},
    {"date", "0001-01-01", [](std::string& t) { append_date_field(t, -719'162); }},
    {"timestamptz", "2026-11-20 10:07:00.123456+00",
     [](std::string& t) { append_timestamp_field(t, 1'795'169'220'123'456); }},
    {"timestamp", "1969-12-31 23:59:59.999999",
     [](std::string& t) { append_timestamp_field(t, -1); }},
    {"uuid", "00112233-4455-6677-8899-aabbccddeeff",
     [](std::string& t) {
       append_uuid_field(t, {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
                             0xcc, 0xdd, 0xee, 0xff});
     }},
};

TEST(CopyField, each_field_is_what_postgres_makes_of_its_text) {
  TestDatabase db;
  Connection connection(db.conninfo(), kNever);
  for (const Case& one : kCases) {
    connection.execute(
        "DROP TABLE IF EXISTS t; CREATE TABLE t (value " + one.type + ", nothing " + one.type + ")",
        "testing");
    CopyStream copy(connection, "t", "testing");
    std::string tuple;
    append_field_count(tuple, 2);
    one.append(tuple);
    append_null_field(tuple);
    copy.append(tuple);
    copy.finish();
    const std::array parameters = {text_parameter(one.literal)};
    const Result same = connection.query(
        "SELECT value::text, $1::text::" + one.type + "::text, nothing IS NULL FROM t", parameters,
        "testing");
    EXPECT_EQ(same.at(0, 0), same.at(0, 1)) << one.type;
    EXPECT_TRUE(same.bool_at(0, 2));
  }
}

TEST(CopyStream, more_than_a_chunk_arrives_whole) {
  TestDatabase db;
  db.run("CREATE TABLE t (n integer, body text)");
  Connection connection(db.conninfo(), kNever);
  CopyStream copy(connection, "t", "testing");
  const std::string body(1 << 20, 'x');  // F39: a field of one mebibyte
  std::string tuple;
  for (int n = 0; n < 20; ++n) {
    tuple.clear();
    append_field_count(tuple, 2);
    append_int32_field(tuple, n);
    append_bytes_field(tuple, body);
    copy.append(tuple);
  }
  copy.finish();
  EXPECT_EQ(db.value("SELECT count(*) || ' ' || sum(length(body)) || ' ' || sum(n) FROM t"),
            "20 20971520 190");
}

TEST(CopyStream, an_early_refusal_ends_it_with_its_line) {
  TestDatabase db;
  db.run("CREATE TABLE t (n integer CHECK (n <> 1))");
  Connection connection(db.conninfo(), kNever);
  CopyStream copy(connection, "t", "testing");
  std::string tuple;
  append_field_count(tuple, 1);
  append_int32_field(tuple, 0);
  copy.append(tuple);
  tuple.back() = 1;
  for (int i = 0; i < 2'000'000; ++i) copy.append(tuple);
  try {
    copy.finish();
    FAIL();
  } catch (const PostgresError& error) {
    EXPECT_TRUE(error.is("23514"));
    EXPECT_EQ(error.diagnosis().context, "COPY t, line 2");
    EXPECT_EQ(error.message().find("Failing row"), std::string::npos);
  }
  connection.execute("SELECT 1", "testing");  // the connection is of use again
}

TEST(CopyStream, rows_that_did_not_arrive_are_noticed) {
  TestDatabase db;
  db.run(
      "CREATE TABLE t (n integer);"
      "CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
      "CREATE TRIGGER drop_it BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION drop_it()");
  Connection connection(db.conninfo(), kNever);
  CopyStream copy(connection, "t", "testing");
  std::string tuple;
  append_field_count(tuple, 1);
  append_int32_field(tuple, 0);
  copy.append(tuple);
  EXPECT_THROW(copy.finish(), PostgresError);
}

}  // namespace
}  // namespace sluice
