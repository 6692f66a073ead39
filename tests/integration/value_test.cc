// SPDX-License-Identifier: Apache-2.0
// Our fields against Postgres's own: the same literal, read by its input function and written by
// its send function.
#include <random>

#include <gtest/gtest.h>

#include "job/base/encoding.h"
#include "job/config/column_type.h"
#include "job/record/field.h"
#include "job/record/json_text.h"
#include "tests/support/postgres.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

struct Literal {
  std::string type;
  std::string json;
  std::string sql;  // the same for Postgres's input function
};

/// The field's payload in hex, or "!reason".
std::string ours(const Literal& literal) {
  Body body;
  Value value;
  std::string scratch;
  std::string field;
  auto fault = body.decode("{\"v\":" + literal.json + "}");
  if (!fault) fault = read({Source::Kind::field, "v", {"v"}}, {body, {}}, value, scratch);
  if (!fault) fault = append_field(field, value, *parse_type(literal.type));
  return fault ? "!" + std::string(to_text(fault->reason)) : to_hex(field.substr(4));
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string send_function(const std::string& type) {
  if (type.starts_with("numeric")) return "numeric_send";
  if (type.starts_with("varchar") || type.starts_with("char")) return "textsend";
  if (type == "smallint") return "int2send";
  if (type == "integer") return "int4send";
  if (type == "bigint") return "int8send";
  if (type == "real") return "float4send";
  if (type == "double precision") return "float8send";
  if (type == "boolean") return "boolsend";
  if (type == "text" || type == "bytea") return type + "send";
  return type + "_send";
}

/// One query for all: what Postgres sends for each literal.
void expect_same(TestDatabase& database, const std::vector<Literal>& literals) {
  std::string sql;
  for (const Literal& literal : literals) {
    sql += sql.empty() ? "SELECT * FROM (VALUES " : ",";
    sql += "(encode(" + send_function(literal.type) + "(" + quoted(literal.sql) +
           "::" + literal.type + "), 'hex'))";
  }
  const auto rows = database.rows(sql + ") AS sent");
  ASSERT_EQ(rows.size(), literals.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(ours(literals[i]), rows[i][0]) << literals[i].type << " " << literals[i].json;
  }
}

std::string json_string(const std::string& text) {
  std::string out;
  EXPECT_FALSE(append_json(out, Value{.kind = Value::Kind::string, .text = text}));
  return out;
}

TEST(Value, every_type_is_encoded_as_postgres_would) {
  TestDatabase database;
  std::vector<Literal> literals;
  const auto bare = [&literals](const std::string& type, std::initializer_list<const char*> texts) {
    for (const char* text : texts) literals.push_back({type, text, text});
  };
  const auto strings = [&literals](const std::string& type,
                                   std::initializer_list<const char*> texts) {
    for (const char* text : texts) literals.push_back({type, json_string(text), text});
  };
  strings("text", {"", "\t\\.\n\"'\\N\r", "Zo\u00eb \U0001F600"});
  strings("varchar(3)", {"\u00fc\U0001F600e"});
  bare("smallint", {"-32768", "0", "32767"});
  bare("integer", {"-2147483648", "-1", "2147483647"});
  bare("bigint", {"-9223372036854775808", "9007199254740993", "9223372036854775807"});
  bare("numeric(10,2)", {"0", "-0", "12345678.90", "-0.05", "1e3", "10000", "9999.99"});
  bare("numeric(1000,500)", {"1e-500", "1e499", "-1.5e-3", "0.0001", "0.00001", "100000000"});
  bare("real", {"0.1", "3.4028235e38", "1e-45", "-0", "16777217"});
  bare("double precision", {"0.1", "5e-324", "1.7976931348623157e308", "9007199254740993"});
  bare("boolean", {"true", "false"});
  strings("date", {"0001-01-01", "1999-12-31", "2000-02-29", "9999-12-31"});
  strings("timestamptz",
          {"2026-11-20T10:07:00Z", "2026-11-20 10:07:00.123456+05:30", "0001-01-02T00:00:00-15:59",
           "9999-12-31T23:59:59.999999Z", "2026-11-20T10:07:00-08"});
  strings("timestamp",
          {"2026-11-20T10:07:00", "0001-01-01 00:00:00", "9999-12-31T23:59:59.999999"});
  strings("uuid", {"00112233-4455-6677-8899-AABBccddeeff", "00112233445566778899aabbccddeeff"});
  strings("inet", {"199.172.111.135", "10.1.2.3/8", "0.0.0.0/0", "2001:db8::1", "::ffff:1.2.3.4/96",
                   "::/0"});
  literals.push_back({"bytea", "\"AP8Q\"", "\\x00ff10"});
  expect_same(database, literals);
}

TEST(Value, random_literals_are_encoded_as_postgres_would) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  TestDatabase database;
  const auto digits = [&random](std::uint64_t most) {
    std::string out = std::to_string(1 + random.below(9));
    for (std::uint64_t i = random.below(most); i > 0; --i)
      out += static_cast<char>('0' + random.below(10));
    return out;
  };
  const auto padded = [&random](std::uint64_t least, std::uint64_t most, std::size_t width) {
    const std::string number = std::to_string(least + random.below(most - least + 1));
    return std::string(width - number.size(), '0') + number;
  };
  std::vector<Literal> literals;
  for (int round = 0; round < 500; ++round) {
    const std::string sign = random.chance(0.5) ? "-" : "";
    const std::string exact = sign + digits(30) + "." + digits(20);
    literals.push_back({"numeric(80,40)", exact, exact});
    const std::string floating =
        sign + digits(18) + "e" + std::to_string(static_cast<int>(random.below(500)) - 250);
    literals.push_back({"double precision", floating, floating});
    const std::string time = padded(1, 9998, 4) + "-" + padded(1, 12, 2) + "-" + padded(1, 28, 2) +
                             "T" + padded(0, 23, 2) + ":" + padded(0, 59, 2) + ":" +
                             padded(0, 59, 2) + "." + padded(0, 999'999, 6);
    literals.push_back({"timestamp", json_string(time), time});
    const std::string zoned =
        time + (random.chance(0.5) ? "+" : "-") + padded(0, 15, 2) + ":" + padded(0, 59, 2);
    literals.push_back({"timestamptz", json_string(zoned), zoned});
    literals.push_back({"date", json_string(time.substr(0, 10)), time.substr(0, 10)});
  }
  expect_same(database, literals);
}

TEST(Value, jsonb_is_the_value_that_postgres_reads_from_the_original) {
  TestDatabase database;
  for (
      const std::string json :
      {R"({"a":[1.10,1e5,-0,18446744073709551617,true,null,[]],"":{"k\"\\\n\u001f":"\u00e9\ud83d\ude00/"}})",
       R"("text")", "7.0", "[1e-16383,1e1000]"}) {
    const std::string field = ours({"jsonb", json, ""});
    ASSERT_TRUE(field.starts_with("01"));
    EXPECT_EQ(database.value("SELECT convert_from('\\x" + field.substr(2) +
                             "', 'UTF8')::jsonb::text = " + quoted(json) + "::jsonb::text"),
              "t")
        << json;
  }
}

TEST(Value, numbers_that_jsonb_cannot_hold_are_those_that_postgres_refuses) {
  TestDatabase database;
  for (const std::string json : {"1e131071", "1e131072", "1e-16383", "1e-16384", "0e-16384"}) {
    bool taken = true;
    try {
      database.run("SELECT " + quoted(json) + "::jsonb");
    } catch (const std::runtime_error&) {
      taken = false;
    }
    EXPECT_EQ(ours({"jsonb", json, ""}) != "!out-of-range", taken) << json;
  }
}

}  // namespace
}  // namespace sluice
