// SPDX-License-Identifier: Apache-2.0
// Literals of each column type around its limits, as a body writes them; and where we refuse what
// Postgres would take.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/seeded_random.h"

namespace sluice {

/// Every reason to refuse what Postgres takes. There is no other.
enum class Stricter {
  body_is_json,
  kinds_are_strict,
  nothing_is_cut,
  nothing_is_rounded,
  nothing_is_guessed,
  no_special_words,
  iso_8601,
  ambiguous_zeros,
  keys_and_depth,
};
/// The words of the documentation that say so.
std::string_view stricter_rule(Stricter rule);

struct StricterLiteral {
  std::string json;
  Stricter rule;
};

struct LimitTable {
  std::string type;
  std::vector<std::string> taken;    // as JSON
  std::vector<std::string> refused;  // by us and by Postgres
  std::vector<StricterLiteral> stricter;
};
const std::vector<LimitTable>& limit_tables();

struct RandomLimit {
  std::string type;
  std::function<std::string(SeededRandom&)> make;  // JSON
  /// Whether a rule says that we refuse this literal of which Postgres made "=value".
  std::function<bool(const std::string& literal, const std::string& theirs)> is_stricter;
};
const std::vector<RandomLimit>& random_limits();

}  // namespace sluice
