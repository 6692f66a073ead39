// SPDX-License-Identifier: Apache-2.0
#include "job/record/decode.h"

#include <algorithm>

#include <boost/json/basic_parser_impl.hpp>

#include "job/base/lone_surrogates.h"
#include "job/base/secret.h"
#include "job/base/text.h"
#include "job/record/s3_pointer.h"
#include "job/record/unicode.h"

namespace sluice {
namespace {

using boost::json::error_code;
using Text = boost::json::string_view;

/// Below this many members comparing each with each is faster than sorting.
constexpr std::size_t kFew = 16;

bool has_repeated(std::vector<std::string_view>& keys) {
  if (keys.size() <= kFew) {
    for (auto key = keys.begin(); key != keys.end(); ++key) {
      if (std::find(keys.begin(), key, *key) != key) return true;
    }
    return false;
  }
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

Rejection not_unicode() { return {Reason::bad_encoding, "the body is not valid Unicode"}; }

}  // namespace

/// What Boost's parser calls, piece by piece.
class Body::Builder {
 public:
  // NOLINTBEGIN(readability-identifier-naming): names that Boost asks for.
  static constexpr std::size_t max_object_size = kMostBytes;
  static constexpr std::size_t max_array_size = kMostBytes;
  static constexpr std::size_t max_key_size = kMostBytes;
  static constexpr std::size_t max_string_size = kMostBytes;
  // NOLINTEND(readability-identifier-naming)

  explicit Builder(Body& body) : body_(body) {}
  bool repeated_key() const { return repeated_key_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return begin(Kind::object); }
  bool on_array_begin(error_code&) { return begin(Kind::array); }
  bool on_array_end(std::size_t, error_code&) {
    end();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    const Position object = end();
    body_.keys_.clear();
    for (Position key = object + 1; key < body_.end(object); key = body_.end(key + 1)) {
      body_.keys_.push_back(body_.text(key));
    }
    repeated_key_ = repeated_key_ || has_repeated(body_.keys_);
    return true;
  }
  bool on_key_part(Text part, std::size_t, error_code&) { return keep(part); }
  bool on_key(Text last, std::size_t size, error_code&) { return string(last, size); }
  bool on_string_part(Text part, std::size_t, error_code&) { return keep(part); }
  bool on_string(Text last, std::size_t size, error_code&) { return string(last, size); }
  // A number comes in parts only when the body does.
  bool on_number_part(Text, error_code&) { return true; }
  bool on_int64(std::int64_t, Text literal, error_code&) { return number(literal); }
  bool on_uint64(std::uint64_t, Text literal, error_code&) { return number(literal); }
  bool on_double(double, Text literal, error_code&) { return number(literal); }
  bool on_bool(bool truth, error_code&) { return add(Kind::boolean, 0, truth); }
  bool on_null(error_code&) { return add(Kind::null, 0); }
  bool on_comment_part(Text, error_code&) { return false; }
  bool on_comment(Text, error_code&) { return false; }

 private:
  bool keep(Text part) {
    body_.chars_.append(part.data(), part.size());
    return true;
  }
  bool string(Text last, std::size_t size) { return keep(last) && add(Kind::string, size); }
  bool number(Text literal) { return keep(literal) && add(Kind::number, literal.size()); }

  /// A value whose text is the last `size` characters kept.
  bool add(Kind kind, std::size_t size, bool truth = false) {
    const auto behind = static_cast<Position>(body_.nodes_.size() + 1);
    const std::size_t text = body_.chars_.size() - size;
    body_.nodes_.push_back(
        {kind, truth, behind, static_cast<std::uint32_t>(text), static_cast<std::uint32_t>(size)});
    return true;
  }
  bool begin(Kind kind) {
    body_.open_.push_back(static_cast<Position>(body_.nodes_.size()));
    return add(kind, 0);
  }
  Position end() {
    const Position opened = body_.open_.back();
    body_.open_.pop_back();
    body_.nodes_[opened].end = static_cast<Position>(body_.nodes_.size());
    return opened;
  }

  Body& body_;
  bool repeated_key_ = false;
};

Body::~Body() { wipe(chars_); }

MaybeRejection Body::check_size(std::string_view text) {
  if (text.size() <= kMostBytes) return std::nullopt;
  return Rejection{Reason::too_large, "longer than 1 MiB"};
}

MaybeRejection Body::decode(std::string_view json) {
  if (auto fault = check_size(json)) return fault;
  nodes_.clear();
  open_.clear();
  // Unescaped text is never longer: no copy is left behind by growing.
  if (json.size() > chars_.capacity()) wipe(chars_);
  chars_.clear();
  chars_.reserve(json.size());
  boost::json::parse_options strict;
  strict.max_depth = kDeepest;
  boost::json::basic_parser<Builder> parser(strict, *this);
  error_code ec;
  const std::size_t used = parser.write_some(false, json.data(), json.size(), ec);
  if (ec == boost::json::error::too_deep) {
    return Rejection{Reason::too_large, "nested deeper than 32 levels"};
  }
  if (ec == boost::json::error::exponent_overflow) {
    return Rejection{Reason::out_of_range, "a number's exponent is beyond 32 bits"};
  }
  if (ec) {
    // JSON's grammar allows lone surrogates, Boost does not: what else is wrong is told first.
    const std::string repaired = without_lone_surrogates(json, "\\ufffd");
    if (repaired != json) return decode(repaired).value_or(not_unicode());
  }
  if (ec && !is_utf8(json)) return not_unicode();
  if (ec || used < json.size()) return Rejection{Reason::not_json, "the body is not JSON"};
  if (parser.handler().repeated_key()) {
    return Rejection{Reason::duplicate_key, "a key stands twice in one object"};
  }
  if (kind(kTop) != Kind::object) {
    return refuse_s3_pointer(json).value_or(
        Rejection{Reason::not_an_object, "the body is not a JSON object"});
  }
  return std::nullopt;
}

std::optional<Body::Position> Body::find(std::span<const std::string> path) const {
  std::optional<Position> at = kTop;
  for (const std::string& key : path) {
    switch (kind(*at)) {
      case Kind::object:
        at = member(*at, key);
        break;
      case Kind::array:
        at = element(*at, key);
        break;
      default:
        return std::nullopt;
    }
    if (!at) return std::nullopt;
  }
  return at;
}

std::optional<Body::Position> Body::member(Position object, std::string_view key) const {
  for (Position at = object + 1; at < end(object); at = end(at + 1)) {
    if (text(at) == key) return at + 1;
  }
  return std::nullopt;
}

std::optional<Body::Position> Body::element(Position array, std::string_view number) const {
  // RFC 6901 section 4: no leading zeros.
  auto left = parse_integer<Position>(number);
  if (!left || (number.size() > 1 && number[0] == '0')) return std::nullopt;
  for (Position at = array + 1; at < end(array); at = end(at)) {
    if ((*left)-- == 0) return at;
  }
  return std::nullopt;
}

}  // namespace sluice
