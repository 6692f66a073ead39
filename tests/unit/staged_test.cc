// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/staged.h"

#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"
#include "tests/support/staged_for_test.h"

namespace sluice {
namespace {

StagedMessage with_rows(std::vector<StagedRow> rows) {
  StagedMessage message;
  message.key = {1'700'000'000'123, {0xff, 1, 2, 3}};
  message.receive_count = 7;
  message.rows = std::move(rows);
  return message;
}

StagedMessage rejection(StagedRejection why, std::string_view key_id,
                        std::string_view sealed_body) {
  StagedMessage message;
  message.key = {-1, {9}};
  message.rejected = true;
  message.rejection = why;
  message.key_id = key_id;
  message.sealed_body = sealed_body;
  return message;
}

StagedBatch batch_with(const std::vector<StagedMessage>& messages) {
  StagedBatch batch;
  for (const StagedMessage& message : messages) StagedBatchForTest::add(batch, message);
  return batch;
}

void expect_equal(const StagedMessage& left, const StagedMessage& right) {
  EXPECT_EQ(left.key, right.key);
  EXPECT_EQ(left.receive_count, right.receive_count);
  EXPECT_EQ(left.sequence, right.sequence);
  EXPECT_EQ(left.group, right.group);
  EXPECT_EQ(left.key_id, right.key_id);
  EXPECT_EQ(left.sealed_body, right.sealed_body);
  ASSERT_EQ(left.rejected, right.rejected);
  ASSERT_EQ(left.rows.size(), right.rows.size());
  for (std::size_t i = 0; i < left.rows.size(); ++i) {
    EXPECT_EQ(left.rows[i].table, right.rows[i].table);
    EXPECT_EQ(left.rows[i].tuple, right.rows[i].tuple);
  }
  EXPECT_EQ(left.rejection.reason, right.rejection.reason);
  EXPECT_EQ(left.rejection.field, right.rejection.field);
  EXPECT_EQ(left.rejection.detail, right.rejection.detail);
}

std::vector<StagedMessage> samples() {
  static const std::string big(3'000'000, '\0');
  StagedMessage fifo = with_rows({{0, "tuple"}});
  fifo.sequence = "18849496460467696128";
  fifo.group = "customer-7";
  StagedMessage forwardable = with_rows({{0, "tuple"}});
  forwardable.key_id = "2026-11";
  forwardable.sealed_body = {"sealed\0", 7};
  return {with_rows({{0, "tuple"}, {65535, ""}, {2, {"a\0b", 3}}}),
          with_rows({}),
          fifo,
          forwardable,
          rejection({"missing-field", "", ""}, "", ""),
          rejection({"too-long", "device_type", "33 characters, 32 fit"}, "2026-11", big),
          with_rows({{1, big}})};
}

TEST(Staged, what_was_added_comes_back) {
  const std::vector<StagedMessage> added = samples();
  const StagedBatch batch = batch_with(added);
  EXPECT_EQ(batch.messages(), added.size());
  std::vector<StagedMessage> read;
  ASSERT_TRUE(unpack(batch.bytes(), read));
  ASSERT_EQ(read.size(), added.size());
  for (std::size_t i = 0; i < added.size(); ++i) expect_equal(read[i], added[i]);
}

TEST(Staged, unpack_appends_to_what_is_there) {
  const StagedBatch batch = batch_with({with_rows({{0, "x"}})});
  std::vector<StagedMessage> read;
  ASSERT_TRUE(unpack(batch.bytes(), read));
  ASSERT_TRUE(unpack(batch.bytes(), read));
  EXPECT_EQ(read.size(), 2u);
}

TEST(Staged, the_pieces_of_a_batch_are_whole_messages_and_together_the_batch) {
  EXPECT_TRUE(StagedBatch().pieces().empty());
  const std::string big(kPieceBytes / 3, 'x');
  const std::string huge(kPieceBytes * 2, 'x');
  StagedBatch batch;
  for (const std::string& tuple : {big, big, huge, big, big, big, big}) {
    StagedBatchForTest::add(batch, with_rows({{0, tuple}}));
  }
  std::string together;
  std::vector<std::size_t> messages;
  for (const std::string_view piece : batch.pieces()) {
    std::vector<StagedMessage> read;
    ASSERT_TRUE(unpack(piece, read));
    messages.push_back(read.size());
    together += piece;
  }
  EXPECT_EQ(messages, (std::vector<std::size_t>{3, 3, 1}));
  EXPECT_EQ(together, batch.bytes());
  batch.clear();
  EXPECT_TRUE(batch.pieces().empty());
}

TEST(Staged, the_bytes_are_those_that_the_format_promises) {
  StagedMessage message = with_rows({{0x0102, "xy"}});
  message.key = {0x0102030405060708, {0xaa}};
  message.sequence = "9";
  message.group = "g";
  message.key_id = "k";
  message.sealed_body = "sb";
  using namespace std::string_literals;
  EXPECT_EQ(batch_with({message}).bytes(),
            "\x08\x07\x06\x05\x04\x03\x02\x01"s + "\xaa"s + std::string(15, '\0') + "\x07\0\0\0"s +
                "\x01\0\0\0"s + "9" + "\x01\0\0\0"s + "g" + "\x01\0\0\0"s + "k" + "\x02\0\0\0"s +
                "sb" + "\0"s + "\x01\0"s + "\x02\x01"s + "\x02\0\0\0"s + "xy");
}

TEST(Staged, clear_leaves_an_empty_batch) {
  StagedBatch batch = batch_with({with_rows({{0, "x"}})});
  EXPECT_EQ(batch.oldest_sent_ms(), 1'700'000'000'123);
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), "");
  EXPECT_EQ(batch.oldest_sent_ms(), 0);
}

TEST(Staged, a_batch_knows_its_oldest_message) {
  StagedMessage older = with_rows({});
  older.key.sent_ms -= 5;
  EXPECT_EQ(batch_with({with_rows({}), older, with_rows({})}).oldest_sent_ms(), 1'700'000'000'118);
}

TEST(Staged, more_rows_than_their_count_can_hold_are_refused) {
  StagedBatch batch;
  const StagedMessage message = with_rows(std::vector<StagedRow>(65'536));
  EXPECT_THROW(StagedBatchForTest::add(batch, message), std::length_error);
}

/// On the heap and exactly as long: with the address sanitizer, one byte read too far is seen.
bool unpacks(std::string_view bytes, std::vector<StagedMessage>& out) {
  const auto exact = std::make_unique<char[]>(bytes.size());
  bytes.copy(exact.get(), bytes.size());
  return unpack({exact.get(), bytes.size()}, out);
}

TEST(Staged, a_batch_cut_inside_a_message_is_refused_and_appends_nothing) {
  StagedMessage fifo = with_rows({{0, "tuple"}, {1, ""}});
  fifo.sequence = "18849496460467696128";
  fifo.group = "customer-7";
  fifo.key_id = "key";
  fifo.sealed_body = "sealed";
  const std::vector<StagedMessage> messages = {
      fifo, rejection({"too-long", "device_type", "detail"}, "key", "sealed"), with_rows({})};
  StagedBatch batch;
  std::set<std::size_t> boundaries = {0};
  for (const StagedMessage& message : messages) {
    StagedBatchForTest::add(batch, message);
    boundaries.insert(batch.bytes().size());
  }
  for (std::size_t size = 0; size <= batch.bytes().size(); ++size) {
    std::vector<StagedMessage> read(2);
    const bool whole = unpacks(batch.bytes().substr(0, size), read);
    EXPECT_EQ(whole, boundaries.contains(size)) << size;
    if (!whole) {
      EXPECT_EQ(read.size(), 2u) << size;
    }
  }
}

TEST(Staged, a_length_that_lies_is_refused) {
  StagedBatch batch = batch_with({with_rows({{0, "tuple"}})});
  const std::size_t tuple_length = batch.bytes().size() - 9;
  for (const char high : {'\x01', '\x7f', '\xff'}) {
    std::string lie = batch.bytes();
    lie[tuple_length + 3] = high;
    std::vector<StagedMessage> read;
    EXPECT_FALSE(unpacks(lie, read));
  }
}

TEST(Staged, a_flag_that_is_neither_yes_nor_no_is_refused) {
  std::string bytes = batch_with({with_rows({})}).bytes();
  bytes[bytes.size() - 3] = 2;
  std::vector<StagedMessage> read;
  EXPECT_FALSE(unpacks(bytes, read));
}

TEST(Staged, no_garbage_is_read_beyond_its_end) {
  constexpr std::uint64_t kSeed = 20261121;
  SCOPED_TRACE(kSeed);
  SeededRandom random(kSeed);
  const StagedBatch batch = batch_with(
      {with_rows({{0, "tuple"}, {1, ""}}), rejection({"bad-value", "ip", ""}, "key", "sealed")});
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = batch.bytes();
    for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    std::vector<StagedMessage> read;
    if (!unpacks(bytes, read)) {
      EXPECT_TRUE(read.empty());
    }
  }
}

}  // namespace
}  // namespace sluice
