// SPDX-License-Identifier: Apache-2.0
// Text that is to be masked: the form that equal values share.
#include "job/mask/canonical.h"
#include "job/record/unicode.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

/// Unicode's data of 2021 has characters whose composition grows threefold in UTF-8.
constexpr std::size_t kMostGrowth = 3;

}  // namespace

void canonical(std::string_view input) {
  if (!is_utf8(input)) return;
  must_hold(count_code_points(input) <= input.size(), "a character has a byte");
  must_hold(is_utf8(to_lower(input)), "lower case is text");
  for (const Canonical form : {Canonical::text, Canonical::ip, Canonical::email, Canonical::none}) {
    const auto once = sluice::canonical(form, input);
    if (!once) continue;
    must_hold(is_utf8(*once), "a canonical form is text");
    must_hold(once->size() <= kMostGrowth * input.size() + 1, "a canonical form is bounded");
    must_hold(sluice::canonical(form, *once) == once, "a canonical form is its own");
  }
}

}  // namespace sluice::fuzz
