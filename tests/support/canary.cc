// SPDX-License-Identifier: Apache-2.0
#include "tests/support/canary.h"

#include <algorithm>

#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::size_t kView = 6;  // no needle is shorter

std::uint16_t pair_before(std::string_view bytes, std::size_t end) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[end - 2]) << 8 |
                                    static_cast<unsigned char>(bytes[end - 1]));
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  });
  return out;
}

bool is_unreserved(char c) {  // RFC 3986
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string percent_encoded(std::string_view value) {
  std::string out;
  for (const char c : value) {
    out += is_unreserved(c) ? std::string(1, c) : '%' + upper(to_hex({&c, 1}));
  }
  return out;
}

std::string json_escaped(std::string_view value) {
  std::string out;
  for (const char c : value) out += "\\u00" + to_hex({&c, 1});
  return out;
}

/// In either byte order: the first byte of the one and the last of the other are left out.
std::string utf16(std::string_view value) {
  std::string out;
  for (const char c : value) out += {c, '\0'};
  out.pop_back();
  return out;
}

/// The characters that hold no bit of what stands before or after it.
std::string inside_base64(std::string_view value, std::size_t before) {
  const std::string text = to_base64(std::string(before, '\0') + std::string(value));
  const std::size_t first = (before * 8 + 5) / 6;
  return text.substr(first, (before + value.size()) * 8 / 6 - first);
}

std::string with_url_alphabet(std::string base64) {
  std::ranges::replace(base64, '+', '-');
  std::ranges::replace(base64, '/', '_');
  return base64;
}

std::string around(std::string_view content, std::size_t at, std::size_t size) {
  constexpr std::size_t kBeside = 60;
  const std::size_t first = at < kBeside ? 0 : at - kBeside;
  return printable(content.substr(first, at - first + size + kBeside));
}

}  // namespace

CanarySearch::CanarySearch() : steps_(1 << 16, kView - 1) {
  add("the mark of an IPv4 address", kMarkOfIpv4);
  add("the mark of an IPv6 address", kMarkOfIpv6);
  add("the mark of a text", kMarkOfText);
  add("the mark of an IPv6 address in full", "2001:0db8:ca4a:");
  add("the mark of an IPv4 address as a mapped one", "::ffff:c613:");
  const std::string ipv6 = "\x20\x01\x0d\xb8\xca\x4a";
  add_form("the bytes of an IPv6 address", ipv6);
  add_form("the bytes of an IPv6 address in hex", to_hex(ipv6));
  add_form("an IPv4 address as a field of COPY BINARY", std::string("\x02\x20\0\x04\xc6\x13", 6));
}

void CanarySearch::add(const std::string& name, std::string_view value) {
  require(value.size() > kView, "too short to be found only where it is");
  add_form(name, std::string(value));
  add_form(name + " in lower case", lower_ascii(value));
  add_form(name + " in upper case", upper(value));
  add_form(name + " in hex", to_hex(value));
  add_form(name + " in HEX", upper(to_hex(value)));
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string text = inside_base64(value, before);
    add_form(name + " in base64", text);
    add_form(name + " in base64url", with_url_alphabet(text));
  }
  add_form(name + ", percent-encoded", percent_encoded(value));
  add_form(name + " as JSON escapes", json_escaped(value));
  add_form(name + " in UTF-16", utf16(value));
}

void CanarySearch::add_form(const std::string& name, std::string bytes) {
  if (std::ranges::find(needles_, bytes, &Needle::bytes) != needles_.end()) return;
  for (std::size_t end = 2; end <= kView; ++end) {
    std::uint8_t& step = steps_[pair_before(bytes, end)];
    step = std::min(step, static_cast<std::uint8_t>(kView - end));
  }
  ends_[pair_before(bytes, kView)].push_back(needles_.size());
  needles_.push_back({name, std::move(bytes)});
}

std::string CanarySearch::found_in(std::string_view content) const {
  for (std::size_t end = kView; end <= content.size();) {
    if (const std::uint8_t step = steps_[pair_before(content, end)]; step > 0) {
      end += step;
      continue;
    }
    const std::size_t at = end - kView;
    if (const Needle* needle = needle_at(content, at)) {
      return needle->name + ": " + around(content, at, needle->bytes.size());
    }
    ++end;
  }
  return "";
}

const CanarySearch::Needle* CanarySearch::needle_at(std::string_view content,
                                                    std::size_t at) const {
  const auto candidates = ends_.find(pair_before(content, at + kView));
  if (candidates == ends_.end()) return nullptr;
  for (const std::size_t candidate : candidates->second) {
    if (content.substr(at).starts_with(needles_[candidate].bytes)) return &needles_[candidate];
  }
  return nullptr;
}

}  // namespace sluice
