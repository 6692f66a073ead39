// SPDX-License-Identifier: Apache-2.0
#include "job/archive/records.h"

#include <random>

#include "job/base/failure.h"
#include "job/base/text.h"
#include "tests/support/empty_pipe.h"
#include "tests/support/packing.h"
#include "tests/support/seeded_random.h"
#include "tests/unit/archive_folder.h"

namespace sluice {
namespace {

class RecordsOf : public ArchiveFolder {
 protected:
  using All = std::vector<std::string>;

  /// Shorter to print: of a long record its size and its end.
  static std::string shown(std::string_view record) {
    if (record.size() < 1000) return std::string(record);
    return std::to_string(record.size()) + " bytes to " +
           std::string(record.substr(record.size() - 9));
  }

  /// Of a file, and again of a pipe into which it comes bit by bit. What was told in the end
  /// stands behind "!".
  All all(std::string_view content) const {
    ArchiveFile file(write("archive", content));
    Records records(file);
    const All all = all_of(file, [&records] { return records.next(); });
    EXPECT_EQ(all_of_pipe(content), all);
    return all;
  }

 private:
  All all_of_pipe(std::string_view content) const {
    EmptyPipe pipe(path("pipe"), content, 1 + content.size() / 1000);
    ArchiveFile file(pipe.path(), OnEmptyPipe::throw_nothing_yet);
    Records records(file);
    return all_of(file, [&] { return pipe.go_on([&] { return records.next(); }); });
  }

  template <typename Next>
  static All all_of(const ArchiveFile& file, Next next) {
    All all;
    try {
      while (const auto record = next()) all.push_back(shown(*record));
      EXPECT_FALSE(next()) << "the end stays the end";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.fault(), Fault::configuration);
      EXPECT_FALSE(failure.hint().empty());
      all.push_back("!" + failure.message().substr(("input " + file.path() + ": ").size()));
    }
    return all;
  }
};

const std::string kMiddle = "!ends in the middle of its array";
const std::string kBehind = "!text behind its array";

TEST_F(RecordsOf, lines_are_records_whatever_ends_them) {
  EXPECT_EQ(all("{\"a\":1}\n{\"a\":2}\n"), All({"{\"a\":1}", "{\"a\":2}"}));
  EXPECT_EQ(all("{\"a\":1}\r\n{\"a\":2}"), All({"{\"a\":1}", "{\"a\":2}"}));
  EXPECT_EQ(all("\n \r\n  {}  \n\t\n\n{}\n \n"), All({"{}", "{}"}));
  EXPECT_EQ(all("no json\n[1]\n{\n"), All({"no json", "[1]", "{"}));
  EXPECT_EQ(all(std::string("a\0b\n\xff\n", 6)), All({std::string("a\0b", 3), "\xff"}));
}

TEST_F(RecordsOf, an_empty_archive_are_none) {
  for (const char* content :
       {"", "\n", " \r\n\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n", "[]", " [ \n] \n"}) {
    EXPECT_EQ(all(content), All()) << content;
  }
}

TEST_F(RecordsOf, a_byte_order_mark_is_no_part_of_the_first) {
  EXPECT_EQ(all("\xef\xbb\xbf{}\n\xef\xbb\xbf{}"), All({"{}", "\xef\xbb\xbf{}"}));
  EXPECT_EQ(all("\xef\xbb\xbf [1, 2]"), All({"1", "2"}));
  EXPECT_EQ(all("\xef\xbb"), All({"\xef\xbb"}));
  EXPECT_EQ(all(gzip("\xef") + gzip("\xbb") + gzip("\xbf{}")), All({"{}"})) << "bit by bit";
}

TEST_F(RecordsOf, elements_of_an_array_are_records_as_they_are_written) {
  EXPECT_EQ(all("[1e400,\"a\",null]"), All({"1e400", "\"a\"", "null"}));
  EXPECT_EQ(all("\n[\n  {\n    \"a\": 0.10\n  },\n  {\"b\": []}\n]\n"),
            All({"{\n    \"a\": 0.10\n  }", "{\"b\": []}"}));
  EXPECT_EQ(all(R"([{"a":"],}\"\\"},["[",{"b":"\\\""}], "," ])"),
            All({R"({"a":"],}\"\\"})", R"(["[",{"b":"\\\""}])", "\",\""}));
  EXPECT_EQ(all("[1,,2,]"), All({"1", "2"}));
  EXPECT_EQ(all("[no json, {]]"), All({"no json", "{]"}));
}

TEST_F(RecordsOf, an_array_without_an_end_is_told_when_it_is_met) {
  EXPECT_EQ(all("["), All({kMiddle}));
  EXPECT_EQ(all("[ {\"a\":1} "), All({kMiddle}));
  EXPECT_EQ(all("[{\"a\":1},\n"), All({"{\"a\":1}", kMiddle}));
  EXPECT_EQ(all("[{\"a\":1}, {\"b\":[1]"), All({"{\"a\":1}", kMiddle}));
  EXPECT_EQ(all("[\"a, ]"), All({kMiddle}));
}

TEST_F(RecordsOf, what_stands_behind_an_array_is_told) {
  EXPECT_EQ(all("[1]\n[2]"), All({"1", kBehind}));
  EXPECT_EQ(all("[]x"), All({kBehind}));
  EXPECT_EQ(all("[1}, 2]"), All({"!a brace too many in its array"}));
}

std::string of_size(std::size_t size) { return std::string(size, 'x'); }

TEST_F(RecordsOf, one_that_is_too_long_is_cut_and_its_neighbours_are_whole) {
  const std::string most = of_size(kMostRecordBytes);
  const std::string cut = shown(of_size(kMostRecordBytes + 1));
  for (const std::size_t more : {std::size_t{1}, std::size_t{300'000}, kMostRecordBytes}) {
    const std::string large = of_size(kMostRecordBytes + more);
    EXPECT_EQ(all("a\n" + large + "\nb\n"), All({"a", cut, "b"}));
    EXPECT_EQ(all("a\n" + large), All({"a", cut}));
    EXPECT_EQ(all("[a, " + large + ", b]"), All({"a", cut, "b"}));
    EXPECT_EQ(all("[a, " + large + "]"), All({"a", cut}));
  }
  EXPECT_EQ(all("a\n" + most + "\nb\n"), All({"a", shown(most), "b"}));
  EXPECT_EQ(all("[" + most + "," + most + "]"), All({shown(most), shown(most)}));
  EXPECT_EQ(all("[a, " + most + most), All({"a", cut, kMiddle}));
}

TEST_F(RecordsOf, what_is_cut_ends_where_it_would_have_ended) {
  const std::string text = of_size(kMostRecordBytes * 2);
  const std::string element = "{\"a\":\"],\\\"" + text + "\\\\\", \"b\":[1,2]}";
  const All records = all("[" + element + ",2]");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0], shown(element.substr(0, kMostRecordBytes + 1)));
  EXPECT_EQ(records[1], "2");
}

TEST_F(RecordsOf, white_space_without_end_is_no_record) {
  EXPECT_EQ(all(std::string(3 * kMostRecordBytes, ' ') + "a\n"), All({"a"}));
  const All records = all("a" + std::string(kMostRecordBytes, ' ') + "b\nc");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0], shown("a" + std::string(kMostRecordBytes, ' ')));
}

std::string random_text(SeededRandom& random) {
  constexpr std::string_view kOdd = R"(a"\{}[], :é)";
  std::string text = "\"";
  for (std::uint64_t left = random.below(30); left > 0; --left) {
    const char c = kOdd[random.below(kOdd.size() - 2)];
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

std::string random_record(SeededRandom& random, int depth = 0) {
  const std::uint64_t members = random.below(depth < 3 ? 4 : 1);
  const bool object = depth == 0 || random.chance(0.5);
  if (random.chance(0.003)) return "\"" + of_size(random.below(600'000)) + "\"";
  std::string record = object ? "{" : "[";
  for (std::uint64_t i = 0; i < members; ++i) {
    if (i > 0) record += ", ";
    if (object) record += random_text(random) + ":";
    record += random.chance(0.5) ? random_record(random, depth + 1) : random_text(random);
  }
  return record + (object ? "}" : "]");
}

TEST_F(RecordsOf, the_same_are_read_from_lines_and_arrays_however_packed) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int round = 0; round < 10; ++round) {
    All records;
    All expected;
    for (std::uint64_t left = random.below(300); left > 0; --left) {
      records.push_back(random_record(random));
      expected.push_back(shown(records.back()));
    }
    std::string lines;
    std::string array = "[";
    for (const std::string& record : records) {
      lines += record + (random.chance(0.2) ? " \r\n\n" : "\n");
      array += (array.size() > 1 ? "," : "") + std::string(random.below(3), '\n') + record;
    }
    array += "\n]\n";
    for (const std::string& text : {lines, array}) {
      const std::size_t cut = random.below(text.size());
      EXPECT_EQ(all(text), expected);
      EXPECT_EQ(all(gzip(text.substr(0, cut)) + gzip(text.substr(cut))), expected);
      EXPECT_EQ(all(zstd(text.substr(0, cut)) + zstd(text.substr(cut))), expected);
    }
  }
}

}  // namespace
}  // namespace sluice
