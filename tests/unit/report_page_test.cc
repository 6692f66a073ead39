// SPDX-License-Identifier: Apache-2.0
#include "job/cli/report_page.h"

#include <random>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "job/base/encoding.h"
#include "job/mask/unkeyed_digest.h"
#include "job/warehouse/run_history.h"

namespace sluice {
namespace {

constexpr std::string_view kHostile = "</script><img src=x onerror=alert(1)>\"'&\xe2\x80\xa8<!--";

std::string hostile_page() {
  const std::string text(kHostile);
  return to_html({.pipeline = text,
                  .period = text,
                  .made_at = text,
                  .version = text,
                  .figures = {{text, text, text}},
                  .empty = text,
                  .history = boost::json::serialize(boost::json::object{{text, text}})});
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++count;
  return count;
}

std::string_view between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin) + begin.size();
  return text.substr(from, text.find(end, from) - from);
}

TEST(ReportPage, nothing_that_is_put_in_becomes_markup) {
  const std::string plain = to_html({.history = "{}"});
  const std::string hostile = hostile_page();
  EXPECT_EQ(hostile.find("<img"), std::string::npos);
  for (const char* part : {"<script", "</script", "<!--"}) {
    EXPECT_EQ(count_of(hostile, part), count_of(plain, part)) << part;
  }
}

TEST(ReportPage, its_json_is_the_same_after_the_way_into_html) {
  const std::string page = hostile_page();
  const std::string_view json =
      between(page, "<script type=\"application/json\" id=\"history\">", "</script>");
  const boost::json::object expected{{std::string(kHostile), std::string(kHostile)}};
  EXPECT_EQ(boost::json::parse(json), expected);
  EXPECT_EQ(json.find_first_of("<>&\xe2"), std::string_view::npos) << json;
}

TEST(ReportPage, it_names_no_other_place) {
  const std::string page = hostile_page();
  for (const char* scheme : {"http:", "https:", "url(", "@import", "import(", "fetch(", "//cdn"}) {
    // The name of SVG is no address.
    const std::size_t names = std::string_view(scheme) == "http:" ? 1 : 0;
    EXPECT_EQ(count_of(page, scheme), names) << scheme;
  }
  EXPECT_EQ(count_of(page, "http://www.w3.org/2000/svg"), 1U);
}

TEST(ReportPage, its_policy_allows_its_own_style_and_script_and_nothing_else) {
  const std::string page = hostile_page();
  const auto source = [](std::string_view block) {
    return "'sha256-" + to_base64(UnkeyedDigest(UnkeyedDigest::Kind::sha256).of(block)) + "'";
  };
  EXPECT_EQ(between(page, "http-equiv=\"Content-Security-Policy\" content=\"", "\""),
            "default-src 'none'; style-src " + source(between(page, "<style>", "</style>")) +
                "; script-src " + source(between(page, "<script type=\"module\">", "</script>")) +
                "; base-uri 'none'; form-action 'none'");
}

TEST(RunHistory, buckets_are_as_many_as_allowed_and_of_a_round_width) {
  const unsigned seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t first = static_cast<std::int64_t>(random() % 2'000'000'000'000);
    const std::int64_t span = static_cast<std::int64_t>(random() % (1ULL << (random() % 48)));
    const int most = 1 + static_cast<int>(random() % 1000);
    const std::int64_t width = bucket_seconds(first, first + span, most, 1);
    const auto buckets = [&](std::int64_t each) {
      return (first + span) / 1000 / each - first / 1000 / each + 1;
    };
    ASSERT_LE(buckets(width), most) << "seed " << seed << ", round " << i;
    ASSERT_TRUE(86'400 % width == 0 || width % 86'400 == 0) << width << ", seed " << seed;
  }
}

TEST(RunHistory, buckets_are_no_wider_than_needed) {
  constexpr std::int64_t kHourMs = 3'600'000;
  EXPECT_EQ(bucket_seconds(0, 999 * kHourMs, 1000, 1), 3600);
  EXPECT_EQ(bucket_seconds(0, 1000 * kHourMs, 1000, 1), 7200);
  EXPECT_EQ(bucket_seconds(0, 0, 1000, 86'400), 86'400);
}

}  // namespace
}  // namespace sluice
