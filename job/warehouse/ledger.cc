// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/ledger.h"

#include <algorithm>

#include "job/base/copy_binary.h"
#include "job/warehouse/copy_stream.h"

namespace sluice {
namespace {

constexpr unsigned kTimestamptz = 1184;
constexpr unsigned kTimestamptzArray = 1185;
constexpr unsigned kUuid = 2950;
constexpr unsigned kUuidArray = 2951;

/// The binary form of a one-dimensional array without nulls: its elements are fields as in COPY.
Parameter array_parameter(unsigned array, unsigned element, std::size_t size,
                          std::string_view fields) {
  Parameter parameter{.bytes = {}, .oid = array, .binary = true};
  append_big_endian<4>(parameter.bytes, 1);  // dimensions
  append_big_endian<4>(parameter.bytes, 0);  // no nulls
  append_big_endian<4>(parameter.bytes, element);
  append_big_endian<4>(parameter.bytes, size);
  append_big_endian<4>(parameter.bytes, 1);  // first index
  parameter.bytes.append(fields);
  return parameter;
}

Parameter time_parameter(std::int64_t ms) {
  Parameter parameter{.bytes = {}, .oid = kTimestamptz, .binary = true};
  append_big_endian<8>(parameter.bytes, (ms - kPostgresEpochMs) * 1000);
  return parameter;
}

/// $1 and $2, the keys column by column, and $3, the pipeline.
std::vector<Parameter> key_parameters(const std::string& pipeline, const Messages& messages) {
  std::string times;
  std::string ids;
  for (const StagedMessage* message : messages) {
    append_timestamp_field(times, message->key.sent_ms * 1000);
    append_uuid_field(ids, message->key.id);
  }
  return {array_parameter(kTimestamptzArray, kTimestamptz, messages.size(), times),
          array_parameter(kUuidArray, kUuid, messages.size(), ids), text_parameter(pipeline)};
}

MessageKey key_at(const Result& result, int row) {
  std::uint64_t us = 0;
  for (const char byte : result.at(row, 0)) us = us << 8 | static_cast<std::uint8_t>(byte);
  MessageKey key{.sent_ms = static_cast<std::int64_t>(us) / 1000 + kPostgresEpochMs, .id = {}};
  std::ranges::copy(result.at(row, 1), key.id.begin());
  return key;
}

/// Splits by whether the key is among the rows of `result`; a row stands for one message only.
struct Split {
  Messages in;
  Messages out;
};
Split split_by(const Result& result, const Messages& messages) {
  std::vector<MessageKey> keys;
  keys.reserve(static_cast<std::size_t>(result.rows()));
  for (int row = 0; row < result.rows(); ++row) keys.push_back(key_at(result, row));
  std::ranges::sort(keys);
  Split split;
  auto key = keys.begin();
  for (const StagedMessage* message : messages) {
    const bool found = key != keys.end() && *key == message->key;
    (found ? split.in : split.out).push_back(message);
    if (found) ++key;
  }
  return split;
}

}  // namespace

Messages without_known(Connection& connection, const std::string& pipeline,
                       const Messages& messages, const MayBeKnown& may_be_known) {
  Messages asked;
  Messages rest;
  for (const StagedMessage* message : messages) {
    (may_be_known(*message) ? asked : rest).push_back(message);
  }
  if (asked.empty()) return messages;
  std::vector<Parameter> parameters = key_parameters(pipeline, asked);
  parameters.push_back(time_parameter(asked.front()->key.sent_ms));
  parameters.push_back(time_parameter(asked.back()->key.sent_ms));
  // LATERAL with OFFSET 0 leaves the planner no choice but one index probe a key: a join of the two
  // was measured to go through the whole time range as soon as one old key widens it.
  const Result known = connection.query(
      "SELECT u.sent_at, u.message_id FROM unnest($1, $2) AS u(sent_at, message_id)"
      " CROSS JOIN LATERAL (SELECT FROM sluice.loaded_message AS l WHERE l.sent_at = u.sent_at"
      " AND l.message_id = u.message_id AND l.pipeline = $3 AND l.sent_at BETWEEN $4 AND $5 OFFSET "
      "0) AS found",
      parameters, "looking up known messages", Format::binary);
  const Messages fresh = split_by(known, asked).out;
  Messages all;
  std::ranges::merge(rest, fresh, std::back_inserter(all), {}, &StagedMessage::key,
                     &StagedMessage::key);
  return all;
}

void copy_keys(Connection& connection, const std::string& pipeline, const Messages& messages) {
  CopyStream copy(connection, "sluice.loaded_message (sent_at, message_id, pipeline)",
                  "copying into sluice.loaded_message");
  for (const StagedMessage* message : messages) {
    std::string& tuple = copy.begin_tuple();
    append_field_count(tuple, 3);
    append_timestamp_field(tuple, message->key.sent_ms * 1000);
    append_uuid_field(tuple, message->key.id);
    append_bytes_field(tuple, pipeline);
  }
  copy.finish();
}

Messages insert_keys(Connection& connection, const std::string& pipeline,
                     const Messages& messages) {
  const Result fresh = connection.query(
      "INSERT INTO sluice.loaded_message (sent_at, message_id, pipeline)"
      " SELECT u.sent_at, u.message_id, $3 FROM unnest($1, $2) AS u(sent_at, message_id)"
      " ORDER BY u.sent_at, u.message_id ON CONFLICT DO NOTHING RETURNING sent_at, message_id",
      key_parameters(pipeline, messages), "inserting into sluice.loaded_message", Format::binary);
  return split_by(fresh, messages).in;
}

}  // namespace sluice
