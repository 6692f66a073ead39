// SPDX-License-Identifier: Apache-2.0
// A message's body, read strictly: every key once, every digit kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "job/base/rejection.h"

namespace sluice {

/// A JSON object as a tree, flat in memory that is reused from one body to the next and wiped in
/// the end. A value stands before all it holds; an object's keys and values alternate.
///
/// Not a DOM of the library: that keeps the last of two equal keys and makes a double of 2^64 and
/// 1e400.
class Body {
 public:
  /// The most that SQS takes (since August 2025), so that a longer line of an archive cannot have
  /// been a message.
  static constexpr std::size_t kMostBytes = 1'048'576;
  static constexpr std::size_t kDeepest = 32;
  static MaybeRejection check_size(std::string_view text);

  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  using Position = std::uint32_t;

  Body() = default;
  ~Body();
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  /// Replaces what was held. Syntax is told first, then a key that stands twice, then text that is
  /// no Unicode. After a rejection nothing may be asked.
  [[nodiscard]] MaybeRejection decode(std::string_view json);

  static constexpr Position kTop = 0;
  /// The value under these keys, from the top downwards; in an array a key is a number from 0.
  std::optional<Position> find(std::span<const std::string> path) const;

  std::optional<Position> member(Position object, std::string_view key) const;

  Kind kind(Position at) const { return nodes_[at].kind; }
  bool truth(Position at) const { return nodes_[at].truth; }
  /// Of a string: unescaped, valid UTF-8. Of a number: as written.
  std::string_view text(Position at) const {
    return std::string_view(chars_).substr(nodes_[at].text, nodes_[at].size);
  }
  /// The position behind a value and all it holds. What an array or object holds lies from `at + 1`
  /// to there.
  Position end(Position at) const { return nodes_[at].end; }

 private:
  class Builder;
  struct Node {
    Kind kind;
    bool truth;
    Position end;
    std::uint32_t text;
    std::uint32_t size;
  };

  std::optional<Position> element(Position array, std::string_view number) const;

  std::vector<Node> nodes_;
  std::string chars_;
  std::vector<Position> open_;          // while decoding: the arrays and objects around
  std::vector<std::string_view> keys_;  // while decoding: of the object that ends
};

}  // namespace sluice
