// SPDX-License-Identifier: Apache-2.0
// What others say of an error, and the secret that they were given. First line: the secret.
#include <algorithm>
#include <array>

#include "job/aws/quotable.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {

void quotable(std::string_view input) {
  const std::array<std::string_view, 1> secrets = {take_line(input)};
  const std::string_view secret = secrets[0];
  const std::string text = sluice::quotable(input, secrets);
  must_hold(text.size() <= 300, "what is repeated is short");
  must_hold(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }),
            "and printable");
  constexpr std::size_t kTelling = 12;
  must_hold(secret.empty() || !repeats(text, secret, std::min(secret.size(), kTelling)),
            "and no part of the secret");
}

}  // namespace sluice::fuzz
