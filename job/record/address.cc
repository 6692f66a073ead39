// SPDX-License-Identifier: Apache-2.0
#include "job/record/address.h"

#include <algorithm>
#include <charconv>

#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::size_t kGroups = 8;

std::optional<std::array<std::uint8_t, 4>> parse_quad(std::string_view text) {
  std::array<std::uint8_t, 4> quad{};
  for (std::size_t i = 0; i < quad.size(); ++i) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    // Some read 010 as eight: a part with leading zeros is ambiguous.
    const auto number = parse_integer<std::uint8_t>(part);
    if (!number || (part.size() > 1 && part[0] == '0')) return std::nullopt;
    if ((dot == std::string_view::npos) != (i == quad.size() - 1)) return std::nullopt;
    quad[i] = *number;
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return quad;
}

/// The 16-bit groups of one side of `::`, or of the whole address. Appends bytes.
bool parse_groups(std::string_view text, bool may_end_in_quad, std::string& bytes) {
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && may_end_in_quad && part.find('.') != std::string_view::npos) {
      const auto quad = parse_quad(part);
      if (quad) bytes.append(quad->begin(), quad->end());
      return quad.has_value();
    }
    std::uint16_t group = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), group, 16);
    if (part.empty() || part.size() > 4 || error != std::errc() ||
        end != part.data() + part.size()) {
      return false;
    }
    bytes.push_back(static_cast<char>(group >> 8));
    bytes.push_back(static_cast<char>(group & 0xff));
    if (last) return true;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;
  }
  return true;
}

std::optional<Address> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const bool whole = gap == std::string_view::npos;
  std::string front;
  std::string back;
  if (!parse_groups(text.substr(0, gap), whole, front)) return std::nullopt;
  if (!whole && !parse_groups(text.substr(gap + 2), true, back)) return std::nullopt;
  const std::size_t size = front.size() + back.size();
  // `::` stands for at least one group: RFC 4291 section 2.2.
  if (whole ? size != 16 : size > 14) return std::nullopt;
  Address address{.v6 = true};
  std::copy(front.begin(), front.end(), address.bytes.begin());
  std::copy(back.begin(), back.end(),
            address.bytes.end() - static_cast<std::ptrdiff_t>(back.size()));
  return address;
}

struct Run {
  std::size_t start = 0;
  std::size_t size = 0;
};

/// The first of the longest runs of zero groups.
Run longest_zeros(const std::array<unsigned, kGroups>& groups) {
  Run best;
  Run run;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (groups[i] != 0) {
      run = {};
      continue;
    }
    if (run.size++ == 0) run.start = i;
    if (run.size > best.size) best = run;
  }
  return best;
}

std::string hex(unsigned group) {
  char digits[4];
  return {digits, std::to_chars(digits, digits + sizeof digits, group, 16).ptr};
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  const auto quad = parse_quad(text);
  if (!quad) return std::nullopt;
  Address address;
  std::copy(quad->begin(), quad->end(), address.bytes.begin());
  return address;
}

std::string Address::text() const {
  if (!v6) {
    char quad[sizeof "255.255.255.255"];
    char* end = quad;
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) *end++ = '.';
      end = std::to_chars(end, std::end(quad), bytes[i]).ptr;
    }
    return {quad, end};
  }
  std::array<unsigned, kGroups> groups{};
  for (std::size_t i = 0; i < kGroups; ++i) groups[i] = bytes[2 * i] * 256U + bytes[2 * i + 1];
  Run zeros = longest_zeros(groups);
  if (zeros.size < 2) zeros = {};  // RFC 5952 section 4.2.2: a single group stays 0
  std::string out;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (zeros.size > 0 && i == zeros.start) {
      out += "::";
      i += zeros.size - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    out += hex(groups[i]);
  }
  return out;
}

Address Address::unmapped() const {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!v6 || !std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return *this;
  Address address;
  std::copy(bytes.begin() + kMapped.size(), bytes.end(), address.bytes.begin());
  return address;
}

Address Address::network(int bits) const {
  Address address = *this;
  for (int bit = bits; bit < 128; ++bit) {
    address.bytes[static_cast<std::size_t>(bit / 8)] &=
        static_cast<std::uint8_t>(~(0x80 >> bit % 8));
  }
  return address;
}

}  // namespace sluice
