// SPDX-License-Identifier: Apache-2.0
#include "job/config/column_type.h"

#include <algorithm>
#include <array>
#include <vector>

#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

using Kind = ColumnType::Kind;

struct TypeWord {
  Kind kind;
  std::string_view word;    // what people write
  std::string_view formal;  // what Postgres's format_type writes
  int parameters;
};

constexpr std::array kTypes = {
    TypeWord{Kind::text, "text", "text", 0},
    TypeWord{Kind::varchar, "varchar", "character varying", 1},
    TypeWord{Kind::bpchar, "char", "character", 1},
    TypeWord{Kind::smallint, "smallint", "smallint", 0},
    TypeWord{Kind::integer, "integer", "integer", 0},
    TypeWord{Kind::bigint, "bigint", "bigint", 0},
    TypeWord{Kind::numeric, "numeric", "numeric", 2},
    TypeWord{Kind::real, "real", "real", 0},
    TypeWord{Kind::double_precision, "double precision", "double precision", 0},
    TypeWord{Kind::boolean, "boolean", "boolean", 0},
    TypeWord{Kind::date, "date", "date", 0},
    TypeWord{Kind::timestamptz, "timestamptz", "timestamp with time zone", 0},
    TypeWord{Kind::timestamp, "timestamp", "timestamp without time zone", 0},
    TypeWord{Kind::uuid, "uuid", "uuid", 0},
    TypeWord{Kind::inet, "inet", "inet", 0},
    TypeWord{Kind::jsonb, "jsonb", "jsonb", 0},
    TypeWord{Kind::bytea, "bytea", "bytea", 0},
};

constexpr std::array<std::string_view, 17> kTypeExamples = {
    "text",         "varchar(n)", "char(n)",
    "smallint",     "integer",    "bigint",
    "numeric(p,s)", "real",       "double precision",
    "boolean",      "date",       "timestamptz",
    "timestamp",    "uuid",       "inet",
    "jsonb",        "bytea"};

constexpr std::array kAs = {
    AsWord{As::version_number, "version-number"},
    AsWord{As::version_base100, "version-base100"},
    AsWord{As::version_digits, "version-digits"},
    AsWord{As::lower, "lower"},
    AsWord{As::trim, "trim"},
    AsWord{As::epoch_seconds, "epoch-seconds"},
    AsWord{As::epoch_millis, "epoch-millis"},
};

constexpr std::array kMasks = {
    MaskWord{MaskMethod::hmac_sha256, "hmac-sha256", 64, false},
    MaskWord{MaskMethod::aes_siv, "aes-siv", 0, false},
    MaskWord{MaskMethod::sha256, "sha256", 64, true},
    MaskWord{MaskMethod::md5, "md5", 32, true},
    MaskWord{MaskMethod::sha256_salted, "sha256-salted", 64, true},
    MaskWord{MaskMethod::redact, "redact", 10, false},
    MaskWord{MaskMethod::drop, "drop", 0, false},
    MaskWord{MaskMethod::ip_prefix, "ip-prefix", 0, false},
    MaskWord{MaskMethod::email_domain, "email-domain", 0, false},
};

constexpr std::array kCanonical = {
    CanonicalWord{Canonical::text, "text"}, CanonicalWord{Canonical::ip, "ip"},
    CanonicalWord{Canonical::email, "email"}, CanonicalWord{Canonical::none, "none"}};

constexpr std::array kEncodings = {EncodingWord{Encoding::base64, "base64"},
                                   EncodingWord{Encoding::gzip, "gzip"}};

constexpr std::array kRejections = {
    RejectionsWord{Rejections::table, "table"},
    RejectionsWord{Rejections::dead_letter_queue, "dead-letter-queue"},
    RejectionsWord{Rejections::leave, "leave"}};

}  // namespace

std::optional<ColumnType> parse_type(std::string_view text) {
  const std::size_t bracket = text.find('(');
  const std::string name = lower_ascii(trim_ascii(text.substr(0, bracket)));
  std::vector<int> parameters;
  if (bracket != std::string_view::npos) {
    if (text.back() != ')') return std::nullopt;
    for (const std::string_view part :
         split(text.substr(bracket + 1, text.size() - bracket - 2), ',')) {
      const auto number = parse_integer<int>(trim_ascii(part));
      if (!number) return std::nullopt;
      parameters.push_back(*number);
    }
  }
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&name](const TypeWord& type) {
    return type.word == name || type.formal == name;
  });
  if (row == kTypes.end() || static_cast<std::size_t>(row->parameters) != parameters.size()) {
    return std::nullopt;
  }
  ColumnType type{.kind = row->kind};
  if (row->parameters == 1) {
    // Postgres's own limit for both.
    if (parameters[0] < 1 || parameters[0] > 10'485'760) return std::nullopt;
    type.length = parameters[0];
  } else if (row->parameters == 2) {
    // Postgres 15 allows a scale outside 0..precision; nobody means it.
    if (parameters[0] < 1 || parameters[0] > 1000 || parameters[1] < 0 ||
        parameters[1] > parameters[0]) {
      return std::nullopt;
    }
    type.precision = parameters[0];
    type.scale = parameters[1];
  }
  return type;
}

std::string postgres_name(const ColumnType& type) {
  for (const TypeWord& row : kTypes) {
    if (row.kind != type.kind) continue;
    std::string name(row.formal);
    if (row.parameters == 1) name += "(" + std::to_string(type.length) + ")";
    if (row.parameters == 2) {
      name += "(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
    }
    return name;
  }
  bug("a column type without a name");
}

std::span<const std::string_view> type_words() { return kTypeExamples; }
std::span<const AsWord> as_words() { return kAs; }
std::span<const MaskWord> mask_words() { return kMasks; }
std::span<const CanonicalWord> canonical_words() { return kCanonical; }
std::span<const EncodingWord> encoding_words() { return kEncodings; }
std::span<const RejectionsWord> rejections_words() { return kRejections; }

std::string_view word_of(Rejections rejections) {
  for (const RejectionsWord& row : rejections_words()) {
    if (row.rejections == rejections) return row.word;
  }
  bug("a place for rejections without a word");
}

const MaskWord& word_of(MaskMethod method) {
  for (const MaskWord& row : kMasks) {
    if (row.method == method) return row;
  }
  bug("a mask method without a name");
}

}  // namespace sluice
