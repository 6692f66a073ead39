// SPDX-License-Identifier: Apache-2.0
// Every column type at its limits: what we load by COPY BINARY is what Postgres reads from the same
// literal, and what we refuse Postgres refuses too, unless kStricter says why we are stricter.
#include <map>
#include <random>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "job/base/copy_binary.h"
#include "job/config/column_type.h"
#include "job/record/field.h"
#include "job/warehouse/copy_stream.h"
#include "tests/integration/limit_literals.h"
#include "tests/support/postgres.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

const Interrupt kNever;

/// "!reason", or nothing, and the field behind what is in `field`.
std::string ours(const std::string& json, const std::string& type, std::string& field) {
  Body body;
  Value value;
  std::string scratch;
  auto fault = body.decode("{\"v\":" + json + "}");
  if (!fault) fault = read({Source::Kind::field, "v", {"v"}}, {body, {}}, value, scratch);
  if (!fault) fault = append_field(field, value, parse_type(type).value());
  return fault ? "!" + std::string(to_text(fault->reason)) : "";
}

/// What Postgres's input function is to read: of a JSON string its text, else the JSON itself.
std::string literal_of(const std::string& json, const std::string& type) {
  if (type == "jsonb" || !json.starts_with('"')) return json;
  boost::json::error_code error;
  const auto value = boost::json::parse(json, error);
  // A lone surrogate has no text: what it is in UTF-8 by the letter is not UTF-8.
  return error ? "\xed\xa0\x80" : std::string(value.as_string());
}

std::string shortened(const std::string& text) {
  return text.size() < 120 ? text : text.substr(0, 100) + "… (" + std::to_string(text.size()) + ")";
}

class ColumnLimits : public testing::Test {
 protected:
  /// Both columns have the type: one is filled by us, one by Postgres from the literal.
  void make_tables(const std::string& type) {
    const std::string expression =
        type == "bytea" ? "decode(%L, ''base64'')" : "%L";  // the pipeline's literal is base64
    database.run("DROP TABLE IF EXISTS ours, theirs; CREATE TABLE ours (n integer, v " + type +
                 "); CREATE TABLE theirs (v " + type +
                 "); CREATE OR REPLACE FUNCTION written(literal_hex text) RETURNS text LANGUAGE "
                 "plpgsql AS $f$"
                 " DECLARE answer text; literal text; BEGIN"
                 " literal := convert_from(decode(literal_hex, 'hex'), 'UTF8');"
                 " EXECUTE format('INSERT INTO theirs VALUES (" +
                 expression +
                 ") RETURNING format(''=%%s'', v)', literal) INTO answer; RETURN answer;"
                 " EXCEPTION WHEN OTHERS THEN RETURN '!' || SQLSTATE; END $f$");
  }

  /// Of each literal: "=" and what stands in a table after an INSERT, or "!sqlstate".
  std::vector<std::string> theirs(const std::vector<std::string>& literals) {
    std::string sql = "SELECT written(hex) FROM unnest(ARRAY[";
    for (const std::string& literal : literals) {
      sql += (&literal == literals.data() ? "'" : ",'") + to_hex(literal) + "'";
    }
    std::vector<std::string> out;
    for (Row& row : database.rows(sql + "]::text[]) WITH ORDINALITY AS l(hex, n) ORDER BY n")) {
      out.push_back(std::move(row[0]));
    }
    return out;
  }

  /// The same of what we make of them, or "!reason".
  std::vector<std::string> loaded(const std::vector<std::string>& jsons, const std::string& type) {
    std::vector<std::string> out;
    Connection connection(database.conninfo(), kNever);
    CopyStream copy(connection, "ours", "testing");
    for (std::size_t n = 0; n < jsons.size(); ++n) {
      std::string tuple;
      append_field_count(tuple, 2);
      append_int32_field(tuple, static_cast<std::int32_t>(n));
      out.push_back(ours(jsons[n], type, tuple));
      if (out.back().empty()) copy.append(tuple);
    }
    copy.finish();
    for (Row& row : database.rows("SELECT n, format('=%s', v) FROM ours")) {
      out[std::stoul(row[0])] = std::move(row[1]);
    }
    return out;
  }

  struct Compared {
    std::string json;
    std::string literal;
    std::string ours;
    std::string theirs;
    bool taken() const { return ours.starts_with('='); }
    bool taken_by_postgres() const { return theirs.starts_with('='); }
    bool equal() const { return ours == theirs; }
  };
  std::vector<Compared> compare(const std::string& type, const std::vector<std::string>& jsons) {
    make_tables(type);
    std::vector<std::string> literals;
    for (const std::string& json : jsons) literals.push_back(literal_of(json, type));
    const auto here = loaded(jsons, type);
    const auto there = theirs(literals);
    std::vector<Compared> out;
    for (std::size_t i = 0; i < jsons.size(); ++i) {
      out.push_back({jsons[i], literals[i], here[i], there.at(i)});
    }
    return out;
  }

  static std::string told(const std::string& type, const Compared& one) {
    return type + " " + shortened(one.json) + ": ours " + shortened(one.ours) + ", Postgres's " +
           shortened(one.theirs);
  }

  TestDatabase database;
};

TEST_F(ColumnLimits, every_known_type_has_a_table_of_literals) {
  std::map<ColumnType::Kind, int> tables;
  for (const LimitTable& table : limit_tables()) ++tables[parse_type(table.type).value().kind];
  for (const std::string_view word : type_words()) {
    const std::string name(word.substr(0, word.find('(')));
    const std::string type = word == "numeric(p,s)"  ? "numeric(1,0)"
                             : word.ends_with("(n)") ? name + "(1)"
                                                     : name;
    EXPECT_GT(tables[parse_type(type).value().kind], 0) << word;
  }
}

TEST_F(ColumnLimits, what_we_take_is_the_value_that_postgres_reads) {
  for (const LimitTable& table : limit_tables()) {
    for (const Compared& one : compare(table.type, table.taken)) {
      EXPECT_TRUE(one.taken_by_postgres() && one.equal()) << told(table.type, one);
    }
  }
}

TEST_F(ColumnLimits, what_both_refuse_is_refused_by_both) {
  for (const LimitTable& table : limit_tables()) {
    for (const Compared& one : compare(table.type, table.refused)) {
      EXPECT_FALSE(one.taken()) << told(table.type, one);
      EXPECT_FALSE(one.taken_by_postgres()) << told(table.type, one);
    }
  }
}

TEST_F(ColumnLimits, where_we_are_stricter_a_rule_of_the_documentation_says_so) {
  for (const LimitTable& table : limit_tables()) {
    std::vector<std::string> jsons;
    for (const StricterLiteral& literal : table.stricter) jsons.push_back(literal.json);
    if (jsons.empty()) continue;
    const auto all = compare(table.type, jsons);
    for (std::size_t i = 0; i < all.size(); ++i) {
      SCOPED_TRACE(stricter_rule(table.stricter[i].rule));
      EXPECT_FALSE(all[i].taken()) << told(table.type, all[i]);
      EXPECT_TRUE(all[i].taken_by_postgres()) << told(table.type, all[i]);
    }
  }
}

TEST_F(ColumnLimits, random_literals_near_the_limits_are_read_as_postgres_reads_them) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  constexpr int kLiterals = 400;
  for (const RandomLimit& limit : random_limits()) {
    std::vector<std::string> jsons;
    for (int i = 0; i < kLiterals; ++i) jsons.push_back(limit.make(random));
    int taken = 0;
    int refused = 0;
    for (const Compared& one : compare(limit.type, jsons)) {
      ++(one.taken() ? taken : refused);
      if (one.taken()) {
        EXPECT_TRUE(one.equal()) << told(limit.type, one);
      } else if (one.taken_by_postgres()) {
        EXPECT_TRUE(limit.is_stricter(one.literal, one.theirs)) << told(limit.type, one);
      }
    }
    EXPECT_GT(taken, kLiterals / 20) << limit.type << ": the generator is beside the limit";
    EXPECT_GT(refused, kLiterals / 20) << limit.type << ": the generator is beside the limit";
  }
}

TEST_F(ColumnLimits, epochs_are_the_instants_that_postgres_counts) {
  const auto floored = [](const std::string& type, const std::string& per_day,
                          const std::string& unit, std::int64_t n) {
    const std::string number = std::to_string(n) + "::numeric";
    const std::string days = "floor(" + number + " / " + per_day + ")";
    return "format('%s', ((timestamptz '1970-01-01 00:00:00+00' + " + days +
           " * interval '24 hours' + (" + number + " - " + days + " * " + per_day +
           ")::int * interval '" + unit + "') AT TIME ZONE 'UTC')" +
           (type == "timestamptz" ? " AT TIME ZONE 'UTC')" : "::" + type + ")");
  };
  for (const std::string type : {"date", "timestamp", "timestamptz"}) {
    for (const auto& [as, per_day, unit, first, last] :
         {std::tuple{As::epoch_seconds, "86400", "1 second", -62'135'596'800, 253'402'300'799},
          std::tuple{As::epoch_millis, "86400000", "1 millisecond", -62'135'596'800'000,
                     253'402'300'799'999}}) {
      for (const std::int64_t n :
           {first - 1, first, first + 1, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1},
            std::int64_t{86'399}, std::int64_t{86'400}, last - 1, last, last + 1}) {
        make_tables(type);
        std::string field;
        const std::string text = std::to_string(n);
        Value value{.kind = Value::Kind::number, .text = text};
        std::string scratch;
        const auto fault = convert(as, value, scratch);
        ASSERT_EQ(fault.has_value(), n < first || n > last) << type << " " << n;
        if (fault) continue;
        append_field_count(field, 2);
        append_int32_field(field, 0);
        ASSERT_FALSE(append_field(field, value, parse_type(type).value()));
        Connection connection(database.conninfo(), kNever);
        CopyStream copy(connection, "ours", "testing");
        copy.append(field);
        copy.finish();
        const Row row = database.rows("SELECT format('%s', v), " + floored(type, per_day, unit, n) +
                                      " FROM ours")[0];
        EXPECT_EQ(row[0], row[1]) << type << " " << n;
      }
    }
  }
}

}  // namespace
}  // namespace sluice
