// SPDX-License-Identifier: Apache-2.0
// How targets say what must hold.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "job/base/failure.h"

namespace sluice::fuzz {

/// Ends the process, in a way that the fuzzer sees, when it does not hold.
void must_hold(bool holds, std::string_view what);

/// Whether `text` repeats at least `length` bytes of `input`. Words of our own that are as long and
/// stand in the input by chance would be a false alarm: no dictionary has them.
bool repeats(std::string_view text, std::string_view input, std::size_t length = 12);

/// `text` with `word` taken out: a word that an input may hold and that is not said because of it.
std::string without(std::string text, std::string_view word);

/// What `parse` gives. Nothing when it throws a Failure, which must be of this fault, with a hint;
/// `said` then is its message.
template <typename Parse>
auto unless_refused(Parse parse, Fault fault, std::string* said = nullptr)
    -> std::optional<decltype(parse())> {
  try {
    return parse();
  } catch (const Failure& failure) {
    must_hold(failure.fault() == fault, failure.message());
    must_hold(!failure.message().empty() && !failure.hint().empty(), "a failure without words");
    if (said != nullptr) *said = failure.message();
    return std::nullopt;
  }
}

/// The input up to a line break, which are taken away from it.
std::string_view take_line(std::string_view& input);

/// A keyring that is always the same.
inline constexpr std::string_view kKeyringJson =
    R"({"version":1,"current":"k2","keys":[)"
    R"({"id":"k1","created":"2026-01-01T00:00:00Z",)"
    R"("secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},)"
    R"({"id":"k2","created":"2026-02-01T00:00:00Z",)"
    R"("secret":"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="}]})";

}  // namespace sluice::fuzz
