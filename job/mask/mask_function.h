// SPDX-License-Identifier: Apache-2.0
// Clear value → masked text, for one column.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "job/base/rejection.h"
#include "job/config/pipeline.h"
#include "job/mask/hmac.h"
#include "job/mask/keyring.h"
#include "job/mask/siv.h"
#include "job/mask/unkeyed_digest.h"

namespace sluice {

/// Only a MaskFunction can make one, and a masked column takes nothing else. It lies in the
/// function until its next.
class MaskedText {
 public:
  std::string_view text() const { return text_; }

 private:
  friend class MaskFunction;
  explicit MaskedText(std::string_view text) : text_(text) {}
  std::string_view text_;
};

/// Appends the field of a COPY BINARY tuple: text, or inet for `ip-prefix`.
[[nodiscard]] MaybeRejection append_field(std::string& tuple, const MaskedText& masked,
                                          const ColumnType& type);

class MaskFunction {
 public:
  /// Under the keyring's current key. Failure{configuration} when OpenSSL lacks or miscomputes what
  /// is needed.
  MaskFunction(const Mask& mask, const Keyring& keyring);

  /// `salt` is for sha256-salted. Not for `drop`, which has no text.
  std::variant<MaskedText, Rejection> of(std::string_view value, std::string_view salt);

 private:
  MaybeRejection make(std::string_view value, std::string_view salt);

  Mask mask_;
  std::string key_id_;
  std::variant<std::monostate, HmacSha256, AesSiv, UnkeyedDigest> engine_;
  std::string text_;
};

}  // namespace sluice
