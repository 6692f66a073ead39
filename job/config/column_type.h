// SPDX-License-Identifier: Apache-2.0
// The words of a pipeline file that stand for something: types, conversions, masks, canonical
// forms, encodings, places for rejections.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "job/config/pipeline.h"

namespace sluice {

/// "varchar(128)", "character varying(128)", "numeric(10,2)", …; nullopt when it is no supported
/// type.
std::optional<ColumnType> parse_type(std::string_view text);
/// As Postgres's format_type writes it: "character varying(128)", "timestamp with time zone".
std::string postgres_name(const ColumnType& type);
/// Short spellings, for a schema and for "did you mean".
std::span<const std::string_view> type_words();

struct AsWord {
  As as;
  std::string_view word;
};
std::span<const AsWord> as_words();

struct MaskWord {
  MaskMethod method;
  std::string_view word;
  /// Characters that a mask always has; 0 where it varies.
  int width;
  /// Anybody can compute it without a key. One core hashes every IPv4 address in about 100 s
  /// (measured on a /8).
  bool guessable;
};
std::span<const MaskWord> mask_words();
const MaskWord& word_of(MaskMethod method);

struct CanonicalWord {
  Canonical canonical;
  std::string_view word;
};
std::span<const CanonicalWord> canonical_words();

struct EncodingWord {
  Encoding encoding;
  std::string_view word;
};
/// Without a word for `none`: the key is left out.
std::span<const EncodingWord> encoding_words();

struct RejectionsWord {
  Rejections rejections;
  std::string_view word;
};
std::span<const RejectionsWord> rejections_words();
std::string_view word_of(Rejections rejections);

}  // namespace sluice
