// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/limit_literals.h"

#include <stdexcept>

namespace sluice {
namespace {

using enum Stricter;

std::string repeated(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

/// U+0001 to U+001F as escapes, DEL as it is.
std::string every_control() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (std::size_t c = 1; c < 0x20; ++c) {
    out += "\\u00";
    out += kHex[c >> 4];
    out += kHex[c & 15];
  }
  return out + "\x7f";
}

LimitTable whole_number(const std::string& type, const std::string& least, const std::string& most,
                        const std::string& below, const std::string& above) {
  return {type,
          {"0", "-0", "-1", "7", least, most},
          {below, above, "1.0", "1e3", "1E0", "18446744073709551615", "18446744073709551616",
           "9223372036854775808", "-9223372036854775809", "1e400", repeated("9", 400), "true",
           "[1]", "{}", "\"\"", "\"seven\"", "\"0x\""},
          {{"007", body_is_json},
           {"+7", body_is_json},
           {"\"7\"", kinds_are_strict},
           {"\" 7 \"", kinds_are_strict}}};
}

LimitTable text_of(const std::string& type) {
  return {type,
          {"\"\"", "\" \"", R"("\\.")", R"("\\N")", R"("\\.\n\\.\r\n")", R"("\t\"'\\\\x41$$")",
           quoted(every_control()), "\"\ufeffmark\"", "\"\ufffe\uffff\ufdd0\"",
           "\"\U0001F600\U0010FFFF\U00020000\"", R"("\ud83d\ude00")", "\"e\u0301 \u00e9\"",
           "\"\u202e\u200b\u00a0\"", quoted(repeated("x", 1'000'000)),
           quoted(repeated("\U0001F600", 250'000))},
          {R"("a\u0000b")", R"("\ud800")", R"("\udc00\ud83d")", "\"\xff\"", "\"\xed\xa0\x80\"",
           "\"\xc0\x80\"", "\"\xf4\x90\x80\x80\""},
          {{"7", kinds_are_strict},
           {"true", kinds_are_strict},
           {"[1]", kinds_are_strict},
           {"{\"a\":1}", kinds_are_strict}}};
}

std::vector<LimitTable> number_tables() {
  LimitTable bigint = whole_number("bigint", "-9223372036854775808", "9223372036854775807",
                                   "-9223372036854775809", "9223372036854775808");
  for (const char* beyond_doubles : {"9007199254740993", "-9007199254740993", "2147483648"}) {
    bigint.taken.emplace_back(beyond_doubles);
  }
  return {
      whole_number("smallint", "-32768", "32767", "-32769", "32768"),
      whole_number("integer", "-2147483648", "2147483647", "-2147483649", "2147483648"),
      bigint,
      {"numeric(10,2)",
       {"0", "-0", "0.00", "0e9", "99999999.99", "-99999999.99", "12345678.90", "1.2300", "1e7",
        "1E+7", "100e-2", "9999999999e-2", "0.010e1", "-5e-2", "\"12.30\"", "\"-0.05\"", "\"1e3\""},
       {"100000000", "-100000000", "99999999.995", "1e8", "1e400", repeated("9", 400), "\"\"",
        "\"seven\"", "\"1,5\"", "\"1 2\"", "\"0x10\"", "\"1_000\"", "\"Infinity\"", "true", "[1]"},
       {{"0.005", nothing_is_rounded},
        {"-1.999", nothing_is_rounded},
        {"1e-3", nothing_is_rounded},
        {"\"NaN\"", no_special_words},
        {"\" 12 \"", kinds_are_strict},
        {"\"+1\"", kinds_are_strict},
        {"\".5\"", kinds_are_strict},
        {"\"5.\"", kinds_are_strict},
        {"\"007\"", kinds_are_strict},
        {"007", body_is_json}}},
      {"numeric(1,0)", {"9", "-9", "9.0", "90e-1"}, {"10", "9.5"}, {{"9.4", nothing_is_rounded}}},
      {"numeric(5,5)", {"0.99999", "-1e-5"}, {"1", "0.999995"}, {{"1e-6", nothing_is_rounded}}},
      {"numeric(1000,0)",
       {"1e999", repeated("9", 1000)},
       {"1e1000", "1" + repeated("0", 1000)},
       {}},
      {"numeric(1000,1000)",
       {"1e-1000", "0." + repeated("9", 1000)},
       {"1", "1.0e0"},
       {{"1e-1001", nothing_is_rounded}}},
      {"real",
       {"0", "-0", "0.1", "16777217", "3.4028235e38", "-3.4028235e38", "3.40282356e38",
        "1.17549435e-38", "1.1754942e-38", "1e-45", "-1.4e-45", "7.1e-46", "33554431.5", "0e999",
        "0.30000001192092895507812500000000000000000001", "1" + repeated("0", 38)},
       {"3.4028236e38", "1e39", "-1e39", "1e308", "1e309", "1e-46", "7.0e-46", "-1e-400",
        repeated("9", 400), "true", "\"\"", "\"one\"", "[1]"},
       {{"\"0.1\"", kinds_are_strict},
        {"\"NaN\"", no_special_words},
        {"\"Infinity\"", no_special_words},
        {"\"-inf\"", no_special_words}}},
      {"double precision",
       {"0", "-0", "0.1", "0.30000000000000004", "9007199254740993", "1.7976931348623157e308",
        "-1.7976931348623157e308", "1.7976931348623158e308", "2.2250738585072014e-308",
        "2.2250738585072011e-308", "5e-324", "-4.9e-324", "2.5e-324", "1" + repeated("0", 308),
        "0." + repeated("0", 320) + "1", "18446744073709551616", "0e999"},
       {"1.7976931348623159e308", "1e309", "-1e309", "2.4e-324", "1e-324", "1e-400",
        repeated("9", 400), "true", "\"\"", "\"one\"", "{}"},
       {{"\"0.1\"", kinds_are_strict},
        {"\"NaN\"", no_special_words},
        {"\"Infinity\"", no_special_words}}},
      {"boolean",
       {"true", "false"},
       {"2", "-1", "1.0", "\"\"", "\"maybe\"", "[true]"},
       {{"1", kinds_are_strict},
        {"0", kinds_are_strict},
        {"\"true\"", kinds_are_strict},
        {"\"yes\"", kinds_are_strict},
        {"\"off\"", kinds_are_strict},
        {"\"t\"", kinds_are_strict}}}};
}

std::vector<LimitTable> text_tables() {
  LimitTable text = text_of("text");
  LimitTable long_varchar = text_of("varchar(10485760)");  // the most that Postgres declares
  return {text,
          long_varchar,
          {"varchar(3)",
           {"\"\"", "\"abc\"", "\"a  \"", "\"   \"", "\"\U0001F600\U0001F600\U0001F600\"",
            "\"e\u0301x\"", "\"\u00fc\u00fc\u00fc\"", R"("\\.\n")"},
           {"\"abcd\"", "\"    d\"", "\"\U0001F600\U0001F600\U0001F600\U0001F600\"",
            "\"e\u0301e\u0301\"", "\"abc\u00a0\"", quoted(repeated("x", 1'000'000))},
           {{"\"abc \"", nothing_is_cut}, {"\"    \"", nothing_is_cut}, {"12", kinds_are_strict}}},
          {"char(3)",
           {"\"\"", "\"a\"", "\"abc\"", "\"a \"", "\"   \"", "\"\U0001F600\"", "\"e\u0301\""},
           {"\"abcd\"", "\"e\u0301e\u0301\"", R"("a\u0000")"},
           {{"\"abc \"", nothing_is_cut}, {"1", kinds_are_strict}}},
          {"bytea",
           {"\"\"", "\"AA==\"", "\"AP8=\"", "\"AP8Q\"",
            "\"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\"",
            quoted(repeated("AAAA", 250'000))},
           {"\"A\"", "\"AA\"", "\"AAA\"", "\"A===\"", "\"A*==\"", "\"AP8-\"", "\"\u00e9AAA\""},
           {{"\"AP8Q\\n\"", nothing_is_guessed},
            {"\" AP8Q\"", nothing_is_guessed},
            {"\"AB==\"", nothing_is_cut},
            {"1234", kinds_are_strict}}},
          {"uuid",
           {"\"00000000-0000-0000-0000-000000000000\"", "\"ffffffff-ffff-ffff-ffff-ffffffffffff\"",
            "\"00112233-4455-6677-8899-AABBccddeeff\"", "\"00112233445566778899aabbccddeeff\""},
           {"\"\"", "\"00112233-4455-6677-8899-aabbccddeef\"",
            "\"00112233-4455-6677-8899-aabbccddeefff\"", "\"0011223g-4455-6677-8899-aabbccddeeff\"",
            "\"0x112233-4455-6677-8899-aabbccddeeff\"", "\"001122-334455-6677-8899-aabbccddeeff\"",
            "\"00112233-4455-6677-8899-aabbccddeeff \"", "17", "[]"},
           {{"\"{00112233-4455-6677-8899-aabbccddeeff}\"", nothing_is_guessed},
            {"\"0011-2233-4455-6677-8899-aabb-ccdd-eeff\"", nothing_is_guessed}}},
          {"inet",
           {"\"0.0.0.0\"", "\"255.255.255.255\"", "\"10.1.2.3/8\"", "\"0.0.0.0/0\"",
            "\"1.2.3.4/32\"", "\"::\"", "\"::1/128\"", "\"::/0\"", "\"1:2:3:4:5:6:7::\"",
            "\"::2:3:4:5:6:7:8\"", "\"2001:DB8::1\"", "\"::ffff:1.2.3.4\"", "\"::1.2.3.4/96\"",
            "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"", "\"0001:0::0:1\""},
           {"\"\"", "\"256.1.1.1\"", "\"1.2.3.4.5\"", "\"1.2.3.4/33\"", "\"::1/129\"",
            "\"1.2.3.4/\"", "\"1.2.3.4/-1\"", "\"1:2:3:4:5:6:7:8:9\"", "\":::\"", "\"12345::\"",
            "\"1::2::3\"", "\"fe80::1%eth0\"", "\"1:2:3:4:5:6:7\"", "\"::1.2.3.256\"",
            "\"1.2.3.4 \"", "\"localhost\"", "\"1::g\"", "12"},
           {{"\"010.1.2.3\"", ambiguous_zeros},
            {"\"10.1.2.3/08\"", ambiguous_zeros},
            {"\"10.1/16\"", nothing_is_guessed},
            {"\"1:2:3:4:5:6:.30\"", nothing_is_guessed},
            {"\"1::2:/9\"", nothing_is_guessed},
            {"\"10.1.2.3./8\"", nothing_is_guessed}}}};
}

std::vector<LimitTable> time_tables() {
  const std::vector<StricterLiteral> words = {
      {"\"infinity\"", no_special_words}, {"\"-infinity\"", no_special_words},
      {"\"epoch\"", no_special_words},    {"\"now\"", no_special_words},
      {"\"today\"", no_special_words},    {"\"tomorrow\"", no_special_words},
      {"\"4713-01-01 BC\"", iso_8601},    {"\"10000-01-01\"", iso_8601},
      {"\"Jan 1 2026\"", iso_8601},       {"\"1/2/2026\"", iso_8601}};
  const std::vector<std::string> no_days = {"\"\"",
                                            "\"2023-02-29T00:00:00\"",
                                            "\"1900-02-29T00:00:00\"",
                                            "\"2026-13-01T00:00:00\"",
                                            "\"2026-00-10T00:00:00\"",
                                            "\"2026-01-32T00:00:00\"",
                                            "\"2026-04-31T00:00:00\"",
                                            "\"0000-01-01T00:00:00\"",
                                            "\"2026-01-01T25:00:00\"",
                                            "\"2026-01-01T24:00:01\"",
                                            "\"2026-01-01T10:60:00\"",
                                            "\"2026-01-01T10:07:61\"",
                                            "\"yesterdays\"",
                                            "true",
                                            "[]"};
  const std::vector<StricterLiteral> times = {
      {"\"2026-01-01T24:00:00\"", nothing_is_guessed},
      {"\"2016-12-31T23:59:60\"", nothing_is_guessed},  // a leap second, which Postgres moves
      {"\"2026-01-01T10:07\"", iso_8601},
      {"\"2026-01-01\"", iso_8601},
      {"\"20260101T100700\"", iso_8601},
      {"\" 2026-01-01T10:07:00 \"", iso_8601},
      {"\"2026-01-01T10:07:00.0000001\"", nothing_is_rounded},
      {"\"2026-01-01T10:07:00.9999999\"", nothing_is_rounded}};

  LimitTable date{"date",
                  {"\"0001-01-01\"", "\"9999-12-31\"", "\"2000-02-29\"", "\"2024-02-29\"",
                   "\"1900-02-28\"", "\"1582-10-10\"", "\"1970-01-01\"", "\"1969-12-31\""},
                  {"\"\"", "\"1900-02-29\"", "\"2023-02-29\"", "\"2026-13-01\"", "\"2026-00-10\"",
                   "\"2026-01-00\"", "\"2026-01-32\"", "\"2026-04-31\"", "\"0000-01-01\"",
                   "\"2026-01\"", "\"tomorrowish\"", "20.5", "true", "{}"},
                  {{"\"20260101\"", iso_8601},
                   {"20260101", kinds_are_strict},
                   {"\"2026-1-1\"", iso_8601},
                   {"\"2026-001\"", iso_8601},
                   {"\"2026-01-01T00:00:00\"", nothing_is_cut},
                   {"\" 2026-01-01 \"", iso_8601}}};
  LimitTable timestamp{
      "timestamp",
      {"\"0001-01-01T00:00:00\"", "\"9999-12-31T23:59:59.999999\"", "\"2026-11-20 10:07:00\"",
       "\"2026-11-20T10:07:00.1\"", "\"2026-11-20T10:07:00.1234560000\"",
       "\"1969-12-31T23:59:59.999999\"", "\"2026-03-29T02:30:00\""},
      no_days,
      times};
  timestamp.stricter.push_back({"\"2026-01-01T10:07:00Z\"", nothing_is_cut});
  timestamp.stricter.push_back({"\"2026-01-01T10:07:00+05:30\"", nothing_is_cut});
  LimitTable timestamptz{
      "timestamptz",
      {"\"2026-11-20T10:07:00Z\"", "\"2026-11-20T10:07:00+00:00\"", "\"2026-11-20T10:07:00-00:00\"",
       "\"2026-11-20 10:07:00.123456+0530\"", "\"2026-11-20T10:07:00+14\"",
       "\"2026-11-20T10:07:00-15:59\"", "\"0001-01-01T00:00:00+15:59\"", "\"0001-01-01T00:00:00Z\"",
       "\"9999-12-31T23:59:59.999999-15:59\""},
      no_days,
      times};
  for (StricterLiteral& time : timestamptz.stricter) {
    if (time.json.size() < 18) continue;
    time.json.insert(time.json.size() - (time.json.ends_with(" \"") ? 2 : 1), "Z");
  }
  timestamptz.refused.emplace_back("\"2026-01-01T10:07:00+16:00\"");
  timestamptz.refused.emplace_back("\"2026-01-01T10:07:00+15:60\"");
  for (const char* guessed : {"\"2026-01-01T10:07:00\"", "\"2026-01-01T10:07:00 Europe/Berlin\"",
                              "\"2026-01-01T10:07:00 UTC\"", "\"2026-01-01T10:07:00+5\"",
                              "\"2026-01-01T10:07:00+05:30:15\""}) {
    timestamptz.stricter.push_back({guessed, iso_8601});
  }
  for (LimitTable* table : {&date, &timestamp, &timestamptz}) {
    table->stricter.insert(table->stricter.end(), words.begin(), words.end());
  }
  return {date, timestamp, timestamptz};
}

LimitTable jsonb_table() {
  return {
      "jsonb",
      {"{}", "[]", "\"\"", "\"text\"", "true", "0", "-0", "1.10", "1e5", "1e131071", "1e-16383",
       "0." + repeated("0", 16'382) + "1", repeated("9", 100'000), "18446744073709551617",
       R"({"b":1,"a":{"":null,"\\.":"\n\t\u001f"}})", "\"\U0001F600\ufffe\"", R"("\ud83d\ude00")",
       // The body is an object itself, one of the 32 levels.
       repeated("[", 31) + repeated("]", 31), "[" + repeated("1,", 400'000) + "1]",
       quoted(repeated("\\n", 500'000))},
      {"1e131072", "-1e131072", "1e-16384", "0." + repeated("0", 16'383) + "1", R"("\u0000")",
       R"({"\u0000":1})", R"(["\ud800"])", "NaN", "'a'", "01", "1.", "[1,]", "\"\t\"", "\"\xff\""},
      {{R"({"a":1,"a":1})", keys_and_depth},
       {R"([{"a":1,"\u0061":2}])", keys_and_depth},
       {repeated("[", 32) + repeated("]", 32), keys_and_depth}}};
}

}  // namespace

std::string_view stricter_rule(Stricter rule) {
  switch (rule) {
    case body_is_json:
      return "a body is JSON (RFC 8259), else not-json";
    case kinds_are_strict:
      return "JSON kinds are strict: integers from JSON integers, booleans from JSON booleans, "
             "numeric from a JSON number or a string that holds one, dates, uuid, inet and texts "
             "from strings";
    case nothing_is_cut:
      return "nothing is cut: text longer than varchar(n) in characters is a rejection, blanks "
             "at its end, a zone and stray bits included";
    case nothing_is_rounded:
      return "nothing is rounded: a decimal that does not fit exactly is a rejection";
    case nothing_is_guessed:
      return "nothing is guessed";
    case no_special_words:
      return "Postgres's special words (now, infinity, epoch) are rejections";
    case iso_8601:
      return "date, timestamptz (with zone) and timestamp (without) from ISO 8601 strings";
    case ambiguous_zeros:
      return "a part with leading zeros is a rejection: it is ambiguous";
    case keys_and_depth:
      return "duplicate keys and depth over 32 are faults wherever they stand in the body";
  }
  throw std::logic_error("a rule without words");
}

const std::vector<LimitTable>& limit_tables() {
  static const std::vector<LimitTable> tables = [] {
    std::vector<LimitTable> all = number_tables();
    for (auto& some : {text_tables(), time_tables(), std::vector{jsonb_table()}}) {
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }();
  return tables;
}

}  // namespace sluice
