// SPDX-License-Identifier: Apache-2.0
// Literals at random, about half of them a little beyond the limit of their type.
#include <regex>

#include "tests/integration/limit_literals.h"

namespace sluice {
namespace {

std::string digits(SeededRandom& random, std::uint64_t least, std::uint64_t most) {
  std::string out;
  for (std::uint64_t i = least + random.below(most - least + 1); i > 0; --i) {
    out += static_cast<char>('0' + random.below(10));
  }
  return out;
}

/// Without zeros in front, which JSON does not know.
std::string whole(SeededRandom& random, std::uint64_t least, std::uint64_t most) {
  std::string out = digits(random, least, most);
  if (out.empty() || out[0] == '0') out.insert(0, 1, static_cast<char>('1' + random.below(9)));
  return out;
}

std::string padded(SeededRandom& random, std::uint64_t least, std::uint64_t most,
                   std::size_t width) {
  const std::string number = std::to_string(least + random.below(most - least + 1));
  return std::string(width - std::min(width, number.size()), '0') + number;
}

std::string sign(SeededRandom& random) { return random.chance(0.5) ? "-" : ""; }

bool never(const std::string&, const std::string&) { return false; }

/// Within 300 of ±2^bits, or one of its last digits replaced, and now and then not an integer.
RandomLimit whole_number(const std::string& type, int bits) {
  return {type,
          [bits](SeededRandom& random) {
            const std::uint64_t limit = std::uint64_t{1} << bits;
            std::string out = std::to_string(limit - 300 + random.below(600));
            if (random.chance(0.3)) out[out.size() - 1 - random.below(3)] = '0';
            if (random.chance(0.05)) out += random.chance(0.5) ? ".0" : "e0";
            return sign(random) + out;
          },
          never};
}

RandomLimit exact(const std::string& type, std::uint64_t before, std::uint64_t behind) {
  return {type,
          [=](SeededRandom& random) {
            std::string out = sign(random) + whole(random, before - 1, before);
            if (random.chance(0.8)) {
              out += "." + digits(random, behind, behind + 1);
              if (random.chance(0.5)) out += '0';
            }
            if (random.chance(0.2)) out += random.chance(0.5) ? "e1" : "E-1";
            return random.chance(0.3) ? '"' + out + '"' : out;
          },
          // Rounded: Postgres writes as many digits behind the point as the column has, and a
          // literal with fewer that count would be the same number.
          [behind](const std::string& literal, const std::string&) {
            std::smatch parts;
            static const std::regex form(R"(-?[0-9]+(?:\.([0-9]*?)0*)?(?:[eE](-?[0-9]+))?)");
            if (!std::regex_match(literal, parts, form)) return false;
            const int exponent = parts[2].matched ? std::stoi(parts[2]) : 0;
            return static_cast<int>(parts[1].length()) - exponent > static_cast<int>(behind) ||
                   (parts[1].length() == 0 && exponent < 0);
          }};
}

RandomLimit floating(const std::string& type, int least_exponent, int most_exponent) {
  return {type,
          [=](SeededRandom& random) {
            const int around = random.chance(0.5) ? least_exponent : most_exponent;
            const int exponent = around - 1 + static_cast<int>(random.below(3));
            return sign(random) + std::to_string(1 + random.below(9)) + "." +
                   digits(random, 1, 20) + "e" + std::to_string(exponent);
          },
          never};
}

std::string any_date(SeededRandom& random) {
  const bool odd = random.chance(0.3);
  return padded(random, odd ? random.below(2) : 1, odd ? 3 : 9999, 4) + "-" +
         padded(random, odd ? 0 : 1, odd ? 13 : 12, 2) + "-" +
         padded(random, odd ? 28 : 1, odd ? 32 : 28, 2);
}

std::string any_time(SeededRandom& random) {
  const bool odd = random.chance(0.3);
  std::string out = padded(random, 0, odd ? 24 : 23, 2) + ":" +
                    padded(random, odd ? 58 : 0, odd ? 60 : 59, 2) + ":" +
                    padded(random, odd ? 58 : 0, odd ? 61 : 59, 2);
  if (random.chance(0.5)) out += "." + digits(random, 1, 7);
  return out;
}

/// An hour 24, a second 60 or a seventh digit: Postgres moves or rounds them.
bool is_moved(const std::string& literal, const std::string&) {
  static const std::regex moved(R"(.*(T24:|:60(?![0-9:])|\.[0-9]{6}[0-9]*[1-9]).*)");
  return std::regex_match(literal, moved);
}

std::string any_text(SeededRandom& random, std::uint64_t least, std::uint64_t most) {
  static const std::string kParts[] = {"a",       "\\\\", " ",      "\u00e9",     "e\u0301", "\\n",
                                       "\\u001f", "\\\"", "\ufeff", "\U0001F600", "\u4e2d",  "\\t"};
  std::string out;
  for (std::uint64_t i = least + random.below(most - least + 1); i > 0; --i) {
    out += kParts[random.below(std::size(kParts))];
  }
  return '"' + out + '"';
}

/// Blanks at the end are what Postgres cuts.
bool is_cut(const std::string& literal, const std::string&) { return literal.ends_with(' '); }

/// One character of it lost, doubled or replaced, half the time.
std::string damaged(SeededRandom& random, std::string text, std::string_view others) {
  if (random.chance(0.5)) return '"' + text + '"';
  const std::size_t at = random.below(text.size());
  const std::uint64_t way = random.below(3);
  if (way == 0) {
    text.erase(at, 1);
  } else if (way == 1) {
    text.insert(at, 1, text[at]);
  } else {
    text[at] = others[random.below(others.size())];
  }
  return '"' + text + '"';
}

std::string any_address(SeededRandom& random) {
  if (random.chance(0.5)) {
    std::string out = std::to_string(random.below(258));
    for (int i = 0; i < 3; ++i) out += "." + std::to_string(random.below(256));
    return damaged(random, out + "/" + std::to_string(random.below(34)), "./0a");
  }
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  std::string out;
  const std::uint64_t groups = 6 + random.below(3);
  const std::uint64_t gap = random.below(groups);
  for (std::uint64_t i = 0; i < groups; ++i) {
    if (i > 0) out += i == gap ? "::" : ":";
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) out += kHex[random.below(kHex.size())];
  }
  return damaged(random, out, ":.0g/");
}

/// Zeros in front of a part; or what RFC 4291 does not know and Postgres fills up or overlooks:
/// IPv4 of other than four parts, alone or at the end of IPv6, and a colon before the slash.
bool is_ambiguous(const std::string& literal, const std::string&) {
  static const std::regex zeros(R"((.*[./:])?0[0-9]+([./].*)?)");
  static const std::regex quad(R"((.*:)?[0-9]+([.][0-9]+){3}(/[0-9]+)?)");
  static const std::regex colon(R"(.*[^:]:/.*)");
  const bool has_quad =
      literal.find(':') == std::string::npos || literal.find('.') != std::string::npos;
  return std::regex_match(literal, zeros) || std::regex_match(literal, colon) ||
         (has_quad && !std::regex_match(literal, quad));
}

/// Dashes elsewhere than RFC 9562 puts them, and braces.
bool is_spelled_oddly(const std::string& literal, const std::string&) {
  static const std::regex form(
      "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}");
  return !std::regex_match(literal, form);
}

/// Padding before the end, and bits that stand for no byte.
bool has_stray_bits(const std::string& literal, const std::string&) {
  const std::size_t padding = literal.find('=');
  return padding != std::string::npos;
}

}  // namespace

const std::vector<RandomLimit>& random_limits() {
  static const std::vector<RandomLimit> limits = {
      whole_number("smallint", 15),
      whole_number("integer", 31),
      whole_number("bigint", 63),
      exact("numeric(10,2)", 8, 2),
      exact("numeric(38,18)", 20, 18),
      exact("numeric(1000,500)", 500, 500),
      floating("real", -45, 38),
      floating("double precision", -324, 308),
      {"varchar(7)", [](SeededRandom& random) { return any_text(random, 3, 8); }, is_cut},
      {"char(7)", [](SeededRandom& random) { return any_text(random, 3, 8); }, is_cut},
      {"date", [](SeededRandom& random) { return '"' + any_date(random) + '"'; }, never},
      {"timestamp",
       [](SeededRandom& random) { return '"' + any_date(random) + "T" + any_time(random) + '"'; },
       is_moved},
      {"timestamptz",
       [](SeededRandom& random) {
         return '"' + any_date(random) + "T" + any_time(random) + (random.chance(0.5) ? "+" : "-") +
                padded(random, 0, 16, 2) + ":" + padded(random, 0, 60, 2) + '"';
       },
       is_moved},
      {"uuid",
       [](SeededRandom& random) { return damaged(random, to_text(seeded_uuid(random)), "-g0{ "); },
       is_spelled_oddly},
      {"inet", any_address, is_ambiguous},
      {"bytea",
       [](SeededRandom& random) {
         std::string text;
         constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno0123+/";
         for (std::uint64_t i = 4 * (1 + random.below(5)); i > 0; --i) {
           text += kAlphabet[random.below(kAlphabet.size())];
         }
         return damaged(random, text, "=-_\u00e9*");
       },
       has_stray_bits},
      {"jsonb",
       [](SeededRandom& random) {
         const bool high = random.chance(0.5);
         return sign(random) + std::to_string(random.below(10)) + "." + digits(random, 1, 9) +
                (high ? "e" + std::to_string(131'069 + random.below(5))
                      : "e-" + std::to_string(16'370 + random.below(16)));
       },
       never}};
  return limits;
}

}  // namespace sluice
