// SPDX-License-Identifier: Apache-2.0
// A bad message is data, not an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// What can be wrong with a message before Postgres has seen it.
enum class Reason : std::uint8_t {
  not_json,
  not_an_object,
  duplicate_key,
  missing_field,
  wrong_type,
  out_of_range,
  too_long,
  bad_encoding,
  bad_value,
  too_large,
};

/// The word that is stored and shown: "missing-field". Names are fixed.
std::string_view to_text(Reason reason);

/// Why a message cannot become rows. `detail` tells of types and limits only: it is stored in
/// clear, so it is never made from a value.
struct Rejection {
  Reason reason;
  std::string detail;
};

/// None: nothing is wrong.
using MaybeRejection = std::optional<Rejection>;

}  // namespace sluice
