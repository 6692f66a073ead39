// SPDX-License-Identifier: Apache-2.0
// From JSON text to the field of a COPY BINARY tuple, through everything that lies between.
#include "job/record/value.h"

#include <bit>
#include <cctype>
#include <random>

#include <gtest/gtest.h>

#include "job/base/clock.h"
#include "job/base/encoding.h"
#include "job/config/column_type.h"
#include "job/record/address.h"
#include "job/record/field.h"
#include "job/record/unicode.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

Source key(std::string name) { return {Source::Kind::field, name, {name}}; }

/// The field's payload as it is, "NULL", or "!reason".
std::string field_from(const Source& source, std::string_view json, std::string_view type,
                       As as = As::is, const Message& message = {}) {
  Body body;
  Value value;
  std::string scratch;
  std::string field;
  auto fault = body.decode(json);
  if (!fault) fault = read(source, {body, message}, value, scratch);
  if (!fault) fault = convert(as, value, scratch);
  if (!fault) fault = append_field(field, value, *parse_type(type));
  if (fault) return "!" + std::string(to_text(fault->reason));
  if (field == "\xff\xff\xff\xff") return "NULL";
  std::string length;
  append_big_endian<4>(length, field.size() - 4);
  EXPECT_EQ(field.substr(0, 4), length);
  return field.substr(4);
}

std::string field(std::string_view json, std::string_view type, As as = As::is) {
  return field_from(key("v"), "{\"v\":" + std::string(json) + "}", type, as);
}
std::string hex(std::string_view json, std::string_view type, As as = As::is) {
  const std::string payload = field(json, type, as);
  return payload.starts_with('!') || payload == "NULL" ? payload : to_hex(payload);
}
std::int64_t number(std::string_view json, std::string_view type, As as = As::is) {
  const std::string payload = field(json, type, as);
  EXPECT_FALSE(payload.starts_with('!')) << json << payload;
  std::uint64_t value = 0;
  for (const char c : payload) value = value << 8 | static_cast<unsigned char>(c);
  const std::size_t unused = 64 - payload.size() * 8;
  return static_cast<std::int64_t>(value << unused) >> unused;
}

/// What Postgres's numeric_recv and numeric_out would make of it, written without a look at the
/// encoder.
std::string decode_numeric(std::string_view payload) {
  const auto word = [&payload](std::size_t i) {
    return static_cast<std::int16_t>(static_cast<unsigned char>(payload[2 * i]) << 8 |
                                     static_cast<unsigned char>(payload[2 * i + 1]));
  };
  const int groups = word(0);
  const int weight = word(1);
  const int scale = word(3);
  EXPECT_EQ(payload.size(), 8U + 2U * static_cast<unsigned>(groups));
  const auto digit = [&](int power) {
    const int at = weight - power;
    return at < 0 || at >= groups ? 0 : word(4 + static_cast<std::size_t>(at));
  };
  std::string whole;
  for (int power = std::max(weight, 0); power >= 0; --power) {
    const std::string group = std::to_string(digit(power));
    whole += whole.empty() ? group : std::string(4 - group.size(), '0') + group;
  }
  while (whole.size() > 1 && whole[0] == '0') whole.erase(0, 1);
  std::string fraction;
  for (int power = -1; static_cast<int>(fraction.size()) < scale; --power) {
    const std::string group = std::to_string(digit(power));
    fraction += std::string(4 - group.size(), '0') + group;
  }
  fraction.resize(static_cast<std::size_t>(scale));
  return (word(2) == 0x4000 ? "-" : "") + whole + (scale > 0 ? "." + fraction : "");
}
std::string numeric(std::string_view json, std::string_view type) {
  const std::string payload = field(json, type);
  return payload.starts_with('!') ? payload : decode_numeric(payload);
}

TEST(Field, absent_values_are_null_whatever_the_type) {
  for (const std::string_view type : {"text", "integer", "numeric(3,1)", "jsonb", "date", "inet"}) {
    EXPECT_EQ(field("null", type), "NULL");
    EXPECT_EQ(field_from(key("w"), "{\"v\":1}", type), "NULL");
  }
}

TEST(Field, text_is_counted_in_characters_and_never_cut) {
  EXPECT_EQ(field("\"\"", "text"), "");
  EXPECT_EQ(field(R"("\t\\.\n\"'\\N\r")", "text"), "\t\\.\n\"'\\N\r");
  const std::string three = "\"\u00fc\U0001F600e\"";
  EXPECT_EQ(field(three, "varchar(3)"), "\u00fc\U0001F600e");
  EXPECT_EQ(field(three, "varchar(2)"), "!too-long");
  EXPECT_EQ(field("\"ab \"", "char(3)"), "ab ");
  EXPECT_EQ(field("\"ab  \"", "char(3)"), "!too-long");
}

TEST(Field, text_with_a_nul_is_refused) {
  for (const std::string_view type : {"text", "varchar(9)", "uuid", "numeric(3,1)", "bytea"}) {
    EXPECT_EQ(field(R"("a\u0000b")", type), "!bad-encoding") << type;
  }
}

TEST(Field, kinds_of_json_are_strict) {
  struct Case {
    std::string_view json;
    std::string_view fitting;
  };
  const std::string_view types[] = {"text",    "varchar(99)", "char(99)",    "smallint",
                                    "integer", "bigint",      "real",        "double precision",
                                    "boolean", "date",        "timestamptz", "timestamp",
                                    "uuid",    "inet",        "bytea"};
  for (const Case& each : {Case{"7", "smallint integer bigint real double precision"},
                           Case{"true", "boolean"}, Case{"[]", ""}, Case{"{}", ""}}) {
    for (const std::string_view type : types) {
      const bool fits = each.fitting.find(type) != std::string_view::npos;
      EXPECT_EQ(field(each.json, type) == "!wrong-type", !fits) << each.json << " " << type;
    }
  }
  for (const std::string_view type :
       {"smallint", "integer", "bigint", "real", "double precision", "boolean"}) {
    EXPECT_EQ(field("\"1\"", type), "!wrong-type") << type;
  }
  EXPECT_EQ(field("true", "numeric(3,1)"), "!wrong-type");
}

TEST(Field, integers_hold_to_their_last_value_and_not_one_further) {
  EXPECT_EQ(number("-32768", "smallint"), -32768);
  EXPECT_EQ(number("32767", "smallint"), 32767);
  EXPECT_EQ(field("32768", "smallint"), "!out-of-range");
  EXPECT_EQ(field("-32769", "smallint"), "!out-of-range");
  EXPECT_EQ(number("2147483647", "integer"), 2147483647);
  EXPECT_EQ(field("2147483648", "integer"), "!out-of-range");
  EXPECT_EQ(number("-2147483648", "integer"), -2147483648LL);
  EXPECT_EQ(field("-2147483649", "integer"), "!out-of-range");
  EXPECT_EQ(number("9223372036854775807", "bigint"), 9223372036854775807LL);
  EXPECT_EQ(field("9223372036854775808", "bigint"), "!out-of-range");
  EXPECT_EQ(hex("-9223372036854775808", "bigint"), "8000000000000000");
  EXPECT_EQ(field("-9223372036854775809", "bigint"), "!out-of-range");
  EXPECT_EQ(number("9007199254740993", "bigint"), 9007199254740993LL);
  EXPECT_EQ(field("99999999999999999999999999", "bigint"), "!out-of-range");
  EXPECT_EQ(number("-0", "integer"), 0);
  for (const std::string_view json : {"1.0", "1e2", "1E0", "-0.0"}) {
    EXPECT_EQ(field(json, "integer"), "!wrong-type") << json;
  }
}

TEST(Field, numeric_keeps_every_digit) {
  EXPECT_EQ(numeric("12345678.90", "numeric(10,2)"), "12345678.90");
  EXPECT_EQ(numeric("\"-0.05\"", "numeric(4,2)"), "-0.05");
  EXPECT_EQ(numeric("1.500", "numeric(4,1)"), "1.5");
  EXPECT_EQ(numeric("1e3", "numeric(4,0)"), "1000");
  EXPECT_EQ(numeric("1.2E-4", "numeric(8,8)"), "0.00012000");
  EXPECT_EQ(numeric("-0", "numeric(3,1)"), "0.0");
  EXPECT_EQ(numeric("0e999999999", "numeric(1,0)"), "0");
  EXPECT_EQ(hex("0", "numeric(3,1)"), "0000000000000001");
  EXPECT_EQ(hex("0.05", "numeric(4,2)"), "0001ffff0000000201f4");
  EXPECT_EQ(hex("-12345.67", "numeric(10,2)"), "0003000140000002000109291a2c");
}

TEST(Field, numeric_is_never_rounded) {
  EXPECT_EQ(numeric("99.9", "numeric(3,1)"), "99.9");
  EXPECT_EQ(numeric("100", "numeric(3,1)"), "!out-of-range");
  EXPECT_EQ(numeric("0.01", "numeric(3,1)"), "!out-of-range");
  EXPECT_EQ(numeric("1e1000000000", "numeric(1000,0)"), "!out-of-range");
  EXPECT_EQ(numeric("1e-1000000000", "numeric(1000,1000)"), "!out-of-range");
  EXPECT_EQ(numeric("1e-1000", "numeric(1000,1000)").size(), 1002U);
  EXPECT_EQ(numeric("1e999", "numeric(1000,0)").size(), 1000U);
  EXPECT_EQ(numeric("1e1000", "numeric(1000,0)"), "!out-of-range");
  for (const std::string_view json :
       {"\"NaN\"", "\"Infinity\"", "\"-inf\"", "\"\"", "\" 1\"", "\"+1\"", "\"01\"", "\"1.\"",
        "\".5\"", "\"1e\"", "\"0x1\"", "\"1_0\""}) {
    EXPECT_EQ(numeric(json, "numeric(9,2)"), "!bad-value") << json;
  }
}

TEST(Field, random_numerics_are_read_back_digit_for_digit) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int round = 0; round < 5000; ++round) {
    const std::size_t scale = random.below(40);
    std::string digits = std::to_string(1 + random.below(9));
    for (std::uint64_t i = random.below(60); i > 0; --i) {
      digits += random.chance(0.4) ? '0' : static_cast<char>('0' + random.below(10));
    }
    // The plain text, with `scale` digits behind the point; as sent, its point moved by an
    // exponent.
    std::string plain = digits;
    if (plain.size() <= scale) plain.insert(0, scale + 1 - plain.size(), '0');
    if (scale > 0) plain.insert(plain.size() - scale, ".");
    const bool negative = random.chance(0.5);
    const std::string sign = negative ? "-" : "";
    const std::string sent =
        random.chance(0.5) ? sign + plain : sign + digits + "e-" + std::to_string(scale);
    const std::string type = "numeric(110," + std::to_string(scale) + ")";
    EXPECT_EQ(numeric(sent, type), sign + plain) << sent;
  }
}

TEST(Field, floating_point_numbers_neither_overflow_nor_vanish) {
  EXPECT_EQ(hex("0.1", "double precision"), "3fb999999999999a");
  EXPECT_EQ(hex("0.1", "real"), "3dcccccd");
  EXPECT_EQ(hex("-0", "real"), "80000000");
  EXPECT_EQ(hex("0e999", "double precision"), "0000000000000000");
  EXPECT_EQ(hex("3.4028235e38", "real"), "7f7fffff");
  EXPECT_EQ(field("3.5e38", "real"), "!out-of-range");
  EXPECT_EQ(hex("1e-45", "real"), "00000001");
  EXPECT_EQ(field("1e-46", "real"), "!out-of-range");
  EXPECT_EQ(hex("5e-324", "double precision"), "0000000000000001");
  EXPECT_EQ(field("1e-324", "double precision"), "!out-of-range");
  EXPECT_EQ(field("1e400", "double precision"), "!out-of-range");
  EXPECT_EQ(field("-1e400", "double precision"), "!out-of-range");
}

TEST(Field, booleans_come_from_booleans) {
  EXPECT_EQ(hex("true", "boolean"), "01");
  EXPECT_EQ(hex("false", "boolean"), "00");
}

TEST(Field, dates_are_real_days) {
  EXPECT_EQ(number("\"2000-01-01\"", "date"), 0);
  EXPECT_EQ(number("\"2000-02-29\"", "date"), 59);
  EXPECT_EQ(number("\"1999-12-31\"", "date"), -1);
  EXPECT_EQ(number("\"0001-01-01\"", "date"), -730119);
  EXPECT_EQ(number("\"9999-12-31\"", "date"), 2921939);
  for (const std::string_view json :
       {"\"2001-02-29\"", "\"1900-02-29\"", "\"2026-13-01\"", "\"2026-00-01\"", "\"2026-01-00\"",
        "\"0000-01-01\"", "\"10000-01-01\"", "\"26-01-01\"", "\"2026-1-1\"", "\"20260101\"",
        "\"2026-01-01 \"", "\"-001-01-01\"", "\"now\"", "\"infinity\"", "\"epoch\"", "\"today\"",
        "\"\"", "\"2026-01-01T00:00:00\""}) {
    EXPECT_EQ(field(json, "date"), "!bad-value") << json;
  }
}

TEST(Field, times_are_iso_8601_with_seconds) {
  EXPECT_EQ(number("\"2000-01-01T00:00:00Z\"", "timestamptz"), 0);
  EXPECT_EQ(number("\"2000-01-01T01:30:00+01:30\"", "timestamptz"), 0);
  EXPECT_EQ(number("\"1999-12-31 16:00:00-0800\"", "timestamptz"), 0);
  EXPECT_EQ(number("\"1999-12-31T16:00:00-08\"", "timestamptz"), 0);
  EXPECT_EQ(number("\"2000-01-01T00:00:00.000001\"", "timestamp"), 1);
  EXPECT_EQ(number("\"2000-01-01T00:00:00.5\"", "timestamp"), 500'000);
  EXPECT_EQ(number("\"2000-01-01T00:00:00.123456000\"", "timestamp"), 123'456);
  EXPECT_EQ(number("\"1999-12-31T23:59:59.999999\"", "timestamp"), -1);
  EXPECT_EQ(number("\"9999-12-31T23:59:59.999999\"", "timestamp"), 252'455'615'999'999'999);
}

TEST(Field, times_that_would_have_to_be_guessed_are_refused) {
  for (const std::string_view time :
       {"2026-01-01", "2026-01-01T00:00", "2026-01-01T24:00:00", "2026-01-01T23:59:60",
        "2026-01-01T23:60:00", "2026-01-01T00:00:00.", "2026-01-01T00:00:00.1234567",
        "2026-01-01t00:00:00", "2026-01-01T0:00:00", "2026-02-30T00:00:00", "0000-01-01T00:00:00",
        "infinity", "now", "epoch", "-infinity", ""}) {
    const std::string json = "\"" + std::string(time);
    EXPECT_EQ(field(json + "\"", "timestamp"), "!bad-value") << time;
    EXPECT_EQ(field(json + "Z\"", "timestamptz"), "!bad-value") << time;
  }
  EXPECT_EQ(field("\"2026-01-01T00:00:00Z\"", "timestamp"), "!bad-value");
  for (const std::string_view zone : {"", "z", " Z", "+", "+1", "+01:", "+01:60", "+16:00", "+1:00",
                                      "UTC", " America/New_York", "Z+01"}) {
    EXPECT_EQ(field("\"2026-01-01T00:00:00" + std::string(zone) + "\"", "timestamptz"),
              "!bad-value")
        << zone;
  }
}

TEST(Field, epochs_are_integers_within_the_years_that_have_a_date) {
  EXPECT_EQ(number("946684800", "timestamptz", As::epoch_seconds), 0);
  EXPECT_EQ(number("946684799999", "timestamp", As::epoch_millis), -1000);
  EXPECT_EQ(number("946684799", "date", As::epoch_seconds), -1);
  EXPECT_EQ(number("-62135596800", "date", As::epoch_seconds), -730119);
  EXPECT_EQ(field("-62135596801", "date", As::epoch_seconds), "!out-of-range");
  EXPECT_EQ(number("253402300799", "date", As::epoch_seconds), 2921939);
  EXPECT_EQ(field("253402300800", "date", As::epoch_seconds), "!out-of-range");
  EXPECT_EQ(field("253402300800000", "date", As::epoch_millis), "!out-of-range");
  EXPECT_EQ(field("99999999999999999999", "date", As::epoch_millis), "!out-of-range");
  EXPECT_EQ(field("1.0", "date", As::epoch_seconds), "!wrong-type");
  EXPECT_EQ(field("\"1\"", "date", As::epoch_seconds), "!wrong-type");
}

TEST(Field, uuids_have_two_spellings) {
  const std::string bytes = "00112233445566778899aabbccddeeff";
  EXPECT_EQ(hex("\"00112233-4455-6677-8899-AABBccddeeff\"", "uuid"), bytes);
  EXPECT_EQ(hex("\"" + bytes + "\"", "uuid"), bytes);
  for (const std::string_view json :
       {"\"\"", "\"00112233-4455-6677-8899-aabbccddeef\"",
        "\"{00112233-4455-6677-8899-aabbccddeeff}\"", "\"0011-2233-4455-6677-8899-aabb-ccddeeff\"",
        "\"00112233-4455-6677-8899-aabbccddeefg\"", "\"-0112233445566778899aabbccddeeff\"",
        "\"+0112233445566778899aabbccddeeff\""}) {
    EXPECT_EQ(field(json, "uuid"), "!bad-value") << json;
  }
}

TEST(Field, inet_takes_addresses_with_or_without_a_prefix) {
  EXPECT_EQ(hex("\"199.172.111.135\"", "inet"), "02200004c7ac6f87");
  EXPECT_EQ(hex("\"10.0.0.0/8\"", "inet"), "020800040a000000");
  EXPECT_EQ(hex("\"10.1.2.3/0\"", "inet"), "020000040a010203");
  EXPECT_EQ(hex("\"2001:db8::1\"", "inet"), "0380001020010db8000000000000000000000001");
  EXPECT_EQ(hex("\"::/0\"", "inet"), "0300001000000000000000000000000000000000");
  for (const std::string_view json :
       {"\"10.1/16\"", "\"1.2.3.4/33\"", "\"::1/129\"", "\"1.2.3.4/\"", "\"1.2.3.4/08\"",
        "\"1.2.3.4/-1\"", "\"1.2.3.04\"", "\" 1.2.3.4\"", "\"fe80::1%eth0\"", "\"\"", "\"/8\"",
        "\"1.2.3.4/8/8\""}) {
    EXPECT_EQ(field(json, "inet"), "!bad-value") << json;
  }
}

TEST(Field, jsonb_is_the_same_value_with_every_digit) {
  const std::string json =
      R"({"a":[1.10,1e5,-0,18446744073709551617],"":{"k\"\\\n\u001f":"\u00e9\ud83d\ude00/"},"t":[true,null,[]]})";
  EXPECT_EQ(field(json, "jsonb"),
            "\1{\"a\":[1.10,1e5,-0,18446744073709551617],\"\":{\"k\\\"\\\\\\u000a\\u001f\":"
            "\"\u00e9\U0001F600/\"},\"t\":[true,null,[]]}");
  EXPECT_EQ(field("\"text\"", "jsonb"), "\1\"text\"");
  EXPECT_EQ(field("7.0", "jsonb"),
            "\1"
            "7.0");
  EXPECT_EQ(field("false", "jsonb"),
            "\1"
            "false");
}

TEST(Field, jsonb_refuses_what_postgres_would) {
  EXPECT_EQ(field(R"({"a":["\u0000"]})", "jsonb"), "!bad-encoding");
  EXPECT_EQ(field(R"({"\u0000":1})", "jsonb"), "!bad-encoding");
  EXPECT_EQ(field("[1e131071]", "jsonb"), "\1[1e131071]");
  EXPECT_EQ(field("[1e131072]", "jsonb"), "!out-of-range");
  EXPECT_EQ(field("[1e-16383]", "jsonb"), "\1[1e-16383]");
  EXPECT_EQ(field("[0e-16384]", "jsonb"), "!out-of-range");
}

TEST(Field, bytea_is_strict_base64) {
  EXPECT_EQ(hex("\"AP8Q\"", "bytea"), "00ff10");
  EXPECT_EQ(field("\"\"", "bytea"), "");
  for (const std::string_view json :
       {"\"AP8\"", "\"AP8=\\n\"", "\"AP9=\"", "\"_P8Q\"", "\"====\""}) {
    EXPECT_EQ(field(json, "bytea"), "!bad-value") << json;
  }
}

TEST(Version, number_weighs_major_minor_patch) {
  const auto version = [](std::string_view json) {
    return number(json, "integer", As::version_number);
  };
  EXPECT_EQ(version("\"2.3.0\""), 20300);
  EXPECT_EQ(version("\"0.96\""), 9600);
  EXPECT_EQ(version("\"2.00\""), 20000);
  EXPECT_EQ(version("\"2\""), 20000);
  EXPECT_EQ(version("\"02.003.0004\""), 20304);
  EXPECT_EQ(version("\"0.0.0\""), 0);
  EXPECT_EQ(version("\"2.10\""), 21000);
  EXPECT_EQ(version("\"214748.36.47\""), 2147483647);
}

TEST(Version, number_refuses_everything_else) {
  const auto version = [](std::string_view json) {
    return field(json, "integer", As::version_number);
  };
  EXPECT_EQ(version("\"214748.36.48\""), "!out-of-range");
  EXPECT_EQ(version("\"2.100.0\""), "!out-of-range");
  EXPECT_EQ(version("\"2.0.100\""), "!out-of-range");
  EXPECT_EQ(version("\"99999999999999999999\""), "!out-of-range");
  EXPECT_EQ(version("\"9223372036854775807\""), "!out-of-range");
  for (const std::string_view json :
       {"\"2.3.0-beta\"", "\"1.2.3.4\"", "\"\"", "\".\"", "\"1.\"", "\".1\"", "\"1..2\"",
        "\" 2.3.0\"", "\"2.-3\"", "\"+2\"", "\"v2\"", "\"\u0662.3\""}) {
    EXPECT_EQ(version(json), "!bad-value") << json;
  }
  EXPECT_EQ(version("2.3"), "!wrong-type");
  EXPECT_EQ(version("2"), "!wrong-type");
  EXPECT_EQ(version("null"), "NULL");
}

TEST(Version, base100_and_digits_are_what_older_loaders_wrote) {
  EXPECT_EQ(number("\"5.3\"", "integer", As::version_base100), 503);
  EXPECT_EQ(number("\"2.3.0\"", "integer", As::version_base100), 20300);
  EXPECT_EQ(number("\"1.2.3.4\"", "integer", As::version_base100), 1020304);
  EXPECT_EQ(number("\"7\"", "integer", As::version_base100), 7);
  EXPECT_EQ(field("\"1.100\"", "integer", As::version_base100), "!out-of-range");
  EXPECT_EQ(field("\"1.2.3.4.5\"", "integer", As::version_base100), "!bad-value");
  EXPECT_EQ(number("\"2.10.0\"", "integer", As::version_digits), 2100);
  EXPECT_EQ(number("\"0.0.7\"", "integer", As::version_digits), 7);
  EXPECT_EQ(number("\"0.0\"", "integer", As::version_digits), 0);
  EXPECT_EQ(field("\"2147483.648\"", "integer", As::version_digits), "!out-of-range");
  EXPECT_EQ(field("\"2..1\"", "integer", As::version_digits), "!bad-value");
}

TEST(As, lower_and_trim_know_unicode) {
  EXPECT_EQ(field("\"\u00c4\u0130-ABC\u03a3\"", "text", As::lower), "\u00e4i-abc\u03c3");
  EXPECT_EQ(field("\"\u3000\\t a \u2028\"", "text", As::trim), "a");
  EXPECT_EQ(field("\"\u200b\"", "text", As::trim), "\u200b");
  EXPECT_EQ(field("7", "text", As::lower), "!wrong-type");
}

TEST(Source, facts_about_the_message_are_values_too) {
  Message message;
  message.id = "00112233-4455-6677-8899-aabbccddeeff";
  message.sent_ms = 946'684'800'000 - 1;
  message.receive_count = 3;
  const auto fact = [&message](Source::Kind kind, std::string_view type) {
    return field_from({kind, "@fact", {}}, "{}", type, As::is, message);
  };
  EXPECT_EQ(fact(Source::Kind::message_id, "text"), message.id);
  EXPECT_EQ(to_hex(fact(Source::Kind::message_id, "uuid")), "00112233445566778899aabbccddeeff");
  EXPECT_EQ(to_hex(fact(Source::Kind::sent_at, "date")), "ffffffff");
  EXPECT_EQ(to_hex(fact(Source::Kind::sent_at, "timestamptz")), "fffffffffffffc18");
  EXPECT_EQ(to_hex(fact(Source::Kind::receive_count, "smallint")), "0003");
  message.sent_ms = INT64_MAX;
  EXPECT_EQ(fact(Source::Kind::sent_at, "date"), "!out-of-range");
  message.sent_ms = 0;
  EXPECT_EQ(fact(Source::Kind::sent_at, "date"), "NULL") << "not known";
}

TEST(Source, attributes_are_numbers_strings_or_base64) {
  Message message;
  message.attributes = {{"n", "Number.int", "42"},
                        {"s", "String", "42"},
                        {"b", "Binary", "AP8Q"},
                        {"odd", "Number", "007"},
                        {"nul", "String", std::string("a\0", 2)},
                        {"bad", "String", "\xff"}};
  const auto attribute = [&message](std::string name, std::string_view type) {
    return field_from({Source::Kind::attribute, "@attribute/" + name, {name}}, "{}", type, As::is,
                      message);
  };
  EXPECT_EQ(to_hex(attribute("n", "integer")), "0000002a");
  EXPECT_EQ(attribute("n", "text"), "!wrong-type");
  EXPECT_EQ(attribute("s", "text"), "42");
  EXPECT_EQ(attribute("s", "integer"), "!wrong-type");
  EXPECT_EQ(to_hex(attribute("b", "bytea")), "00ff10");
  EXPECT_EQ(attribute("odd", "integer"), "!bad-value");
  EXPECT_EQ(attribute("nul", "text"), "!bad-encoding");
  EXPECT_EQ(attribute("bad", "text"), "!bad-encoding");
  EXPECT_EQ(attribute("other", "text"), "NULL");
}

TEST(Address, ipv6_is_printed_as_rfc_5952_says) {
  struct Case {
    std::string_view read;
    std::string_view printed;
  };
  for (const Case& each :
       {Case{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}, Case{"2001:0db8::0001", "2001:db8::1"},
        Case{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        Case{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        Case{"2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:1", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"},
        Case{"::", "::"}, Case{"0:0:0:0:0:0:0:0", "::"}, Case{"1::", "1::"},
        Case{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"}, Case{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        Case{"0:0:1::", "0:0:1::"}, Case{"::ffff:1.2.3.4", "::ffff:102:304"},
        Case{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        Case{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"}}) {
    const auto address = Address::parse(each.read);
    ASSERT_TRUE(address) << each.read;
    EXPECT_EQ(address->text(), each.printed);
  }
}

TEST(Address, what_is_no_address_is_refused) {
  for (const std::string_view text : {"",
                                      ":",
                                      ":::",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.",
                                      ".1.2.3.4",
                                      "1..2.3",
                                      "1.2.3.4.5",
                                      "01.2.3.4",
                                      "1.2.3.00",
                                      "256.1.1.1",
                                      "1.2.3.-4",
                                      "1.2.3.+4",
                                      "0x1.2.3.4",
                                      "1.2.3.4 ",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1::2::3",
                                      ":1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:",
                                      "12345::",
                                      "g::",
                                      "::1.2.3",
                                      "::01.2.3.4",
                                      "1.2.3.4::",
                                      "::1.2.3.4:1",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "1:2:3:4::5:6:7:8",
                                      "2001:db8:::1",
                                      "fe80::1%eth0",
                                      "::1/128",
                                      "[::1]",
                                      "::-1",
                                      "::+1"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
}

TEST(Address, random_addresses_are_read_back) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int round = 0; round < 5000; ++round) {
    Address address{.v6 = random.chance(0.8)};
    for (std::size_t i = 0; i < (address.v6 ? 16U : 4U); ++i) {
      address.bytes[i] = random.chance(0.6) ? 0 : static_cast<std::uint8_t>(random.next());
    }
    const auto again = Address::parse(address.text());
    ASSERT_TRUE(again) << address.text();
    EXPECT_EQ(again->v6, address.v6);
    EXPECT_EQ(again->bytes, address.bytes) << address.text();
  }
}

/// ASCII is answered without Unicode's tables; the C library is asked here.
TEST(Unicode, each_ascii_character_is_what_it_is_between_others) {
  for (int c = 0; c < 0x80; ++c) {
    const std::string one(1, static_cast<char>(c));
    const std::string lower(1, static_cast<char>(std::tolower(c)));
    EXPECT_TRUE(is_utf8(one)) << c;
    EXPECT_EQ(to_lower("\u00c9" + one + "\u212a"), "\u00e9" + lower + "k") << c;
    EXPECT_EQ(has_white_space_or_control("\u00c9" + one), std::isspace(c) || std::iscntrl(c)) << c;
    EXPECT_EQ(trim_white_space(one + "\u00c9" + one),
              std::isspace(c) ? "\u00c9" : one + "\u00c9" + one)
        << c;
    EXPECT_EQ(to_nfc(one), one) << c;
  }
}

TEST(Unicode, a_run_of_combining_marks_is_bounded) {
  std::string marks = "a";
  for (int i = 0; i < 256; ++i) marks += "\u0301";
  EXPECT_TRUE(to_nfc(marks));
  EXPECT_FALSE(to_nfc(marks + "\u0301"));
  EXPECT_TRUE(to_nfc(marks + "b" + marks));
}

}  // namespace
}  // namespace sluice
