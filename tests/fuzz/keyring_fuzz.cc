// SPDX-License-Identifier: Apache-2.0
// The file of the keys.
#include "job/mask/keyring.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

/// "a 'created' is not a time of RFC 3339": the names of keys stand in either.
constexpr std::size_t kLongerThanOurNames = 20;

Keyring parsed(std::string_view json) { return Keyring::parse(json, "k"); }

}  // namespace

void keyring(std::string_view input) {
  std::string said;
  const auto keys = unless_refused([&] { return parsed(input); }, Fault::configuration, &said);
  must_hold(!repeats(said, input, kLongerThanOurNames), "a refusal tells nothing of the file");
  if (!keys) return;
  must_hold(!keys->current().secret.empty(), "there is a current key");
  const Secret printed = keys->to_json();
  const auto again = parsed(printed.reveal());
  must_hold(again.to_json().reveal() == printed.reveal(), "what was accepted is accepted again");
  must_hold(again.current().secret.reveal() == keys->current().secret.reveal(), "with its key");
}

}  // namespace sluice::fuzz
