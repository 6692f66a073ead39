// SPDX-License-Identifier: Apache-2.0
// What must be found nowhere, and the search for it (promise G5).
//
// Every clear value of a masked field that these tests send holds one of the marks below, and so do
// the faulty values of bad messages: one search finds them all, whichever test sent them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice {

/// Addresses of benchmarks (RFC 2544) and of documentation (RFC 3849): nobody has them.
inline constexpr std::string_view kMarkOfIpv4 = "198.19.";
inline constexpr std::string_view kMarkOfIpv6 = "2001:db8:ca4a:";
inline constexpr std::string_view kMarkOfText = "canary-";

class CanarySearch {
 public:
  /// For the marks, and for the same addresses written in full, mapped or as the bytes of an inet.
  CanarySearch();

  /// For this too: as it is, in either case, in hex, in base64 and base64url wherever it starts,
  /// percent-encoded, as JSON escapes and in UTF-16. At least 7 bytes: a shorter one would be found
  /// by chance.
  void add(const std::string& name, std::string_view value);

  /// What is found, how it is written and what stands around it, or nothing.
  std::string found_in(std::string_view content) const;

 private:
  struct Needle {
    std::string name;
    std::string bytes;
  };
  void add_form(const std::string& name, std::string bytes);
  const Needle* needle_at(std::string_view content, std::size_t at) const;

  std::vector<Needle> needles_;
  // By two bytes: how far the search may go on when they end its view, and, where that is nowhere,
  // the needles whose beginning they end (Wu and Manber, 1994).
  std::vector<std::uint8_t> steps_;
  std::unordered_map<std::uint16_t, std::vector<std::size_t>> ends_;
};

}  // namespace sluice
