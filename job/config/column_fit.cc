// SPDX-License-Identifier: Apache-2.0
#include "job/config/column_fit.h"

#include <algorithm>

#include "job/config/column_type.h"

namespace sluice {
namespace {

using Kind = ColumnType::Kind;

bool is_time(Kind kind) {
  return kind == Kind::date || kind == Kind::timestamptz || kind == Kind::timestamp;
}
bool is_whole_number(Kind kind) {
  return kind == Kind::smallint || kind == Kind::integer || kind == Kind::bigint;
}

std::optional<Misfit> source_misfit(const Column& column) {
  bool fits = true;
  switch (column.source.kind) {
    case Source::Kind::sent_at:
      fits = is_time(column.type.kind);
      break;
    case Source::Kind::receive_count:
      fits = is_whole_number(column.type.kind);
      break;
    case Source::Kind::message_id:
      fits = column.type.is_text() || column.type.kind == Kind::uuid;
      break;
    case Source::Kind::field:
    case Source::Kind::attribute:
      break;
  }
  if (fits) return std::nullopt;
  return Misfit{
      column.source.text + " does not fit type " + postgres_name(column.type),
      "@sent_at: date, timestamptz, timestamp; @receive_count: smallint, integer, bigint; "
      "@message_id: text, uuid"};
}

std::string_view word_for(As as) {
  const auto rows = as_words();
  return std::find_if(rows.begin(), rows.end(), [as](const AsWord& row) { return row.as == as; })
      ->word;
}

std::optional<Misfit> as_misfit(const Column& column) {
  bool fits = true;
  switch (column.as) {
    case As::is:
      return std::nullopt;
    case As::version_number:
    case As::version_base100:
    case As::version_digits:
      fits = is_whole_number(column.type.kind);
      break;
    case As::lower:
    case As::trim:
      fits = column.type.is_text() || column.mask.has_value();
      break;
    case As::epoch_seconds:
    case As::epoch_millis:
      fits = is_time(column.type.kind);
      break;
  }
  if (fits) return std::nullopt;
  return Misfit{
      "as '" + std::string(word_for(column.as)) + "' does not fit type " +
          postgres_name(column.type),
      "versions become integers, epochs become dates or timestamps, lower and trim stay text"};
}

std::optional<Misfit> mask_misfit(const Column& column) {
  if (!column.mask) return std::nullopt;
  const MaskWord& word = word_of(column.mask->method);
  const bool is_prefix =
      column.mask->method == MaskMethod::ip_prefix && column.type.kind == Kind::inet;
  const bool takes_text =
      column.type.is_text() || column.mask->method == MaskMethod::drop || is_prefix;
  if (!takes_text || (column.as != As::is && column.as != As::lower && column.as != As::trim)) {
    return Misfit{"a mask is text: '" + column.name + "' cannot be " + postgres_name(column.type),
                  "make the column varchar(256), and take `as` away unless it is lower or trim"};
  }
  if (column.source.kind != Source::Kind::field && column.source.kind != Source::Kind::attribute) {
    return Misfit{column.source.text + " cannot be masked", "it says nothing about a person"};
  }
  if (column.type.length > 0 && word.width > column.type.length) {
    return Misfit{std::string(word.word) + " needs " + std::to_string(word.width) +
                      " characters; '" + column.name + "' has " +
                      std::to_string(column.type.length),
                  "widen the column"};
  }
  if (column.required && column.mask->method == MaskMethod::drop) {
    return Misfit{"'drop' always writes NULL, so '" + column.name + "' cannot be required",
                  "take one of them away"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Misfit> misfit_of(const Column& column) {
  if (column.name.size() > kLongestIdentifier) {
    return Misfit{"column name longer than 63 bytes", "Postgres would cut it"};
  }
  if (column.nullable && !column.required) {
    return Misfit{"'nullable' without 'required' says nothing",
                  "add \"required\": true, or leave it out"};
  }
  if (auto misfit = source_misfit(column)) return misfit;
  if (auto misfit = as_misfit(column)) return misfit;
  return mask_misfit(column);
}

}  // namespace sluice
