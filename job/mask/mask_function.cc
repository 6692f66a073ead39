// SPDX-License-Identifier: Apache-2.0
#include "job/mask/mask_function.h"

#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/mask/canonical.h"
#include "job/record/field.h"

namespace sluice {
namespace {

using Engine = std::variant<std::monostate, HmacSha256, AesSiv, UnkeyedDigest>;

Engine engine_of(const Mask& mask, const Keyring::Key& key) {
  switch (mask.method) {
    case MaskMethod::hmac_sha256:
      return HmacSha256(derive_key(key, "sluice/mask/v1/" + mask.domain, 32));
    case MaskMethod::aes_siv:
      return AesSiv(derive_key(key, "sluice/siv/v1/" + mask.domain, 64), mask.domain);
    case MaskMethod::sha256:
    case MaskMethod::sha256_salted:
      return UnkeyedDigest(UnkeyedDigest::Kind::sha256);
    case MaskMethod::md5:
      return UnkeyedDigest(UnkeyedDigest::Kind::md5);
    case MaskMethod::redact:
    case MaskMethod::drop:
    case MaskMethod::ip_prefix:
    case MaskMethod::email_domain:
      return std::monostate();
  }
  bug("a mask method without an engine");
}

Rejection no_canonical(Canonical form) {
  switch (form) {
    case Canonical::ip:
      return {Reason::bad_value, "expected an IP address"};
    case Canonical::email:
      return {Reason::bad_value, "expected an e-mail address"};
    case Canonical::text:
    case Canonical::none:
      break;
  }
  return {Reason::bad_value, "more than 256 combining marks in a row"};
}

/// The networks by which registries hand out addresses to one site.
std::string prefix_of(const Address& address) {
  const int bits = address.v6 ? 48 : 24;
  return address.network(bits).text() + "/" + std::to_string(bits);
}

}  // namespace

MaybeRejection append_field(std::string& tuple, const MaskedText& masked, const ColumnType& type) {
  return append_field(tuple, Value{.kind = Value::Kind::string, .text = masked.text()}, type);
}

MaskFunction::MaskFunction(const Mask& mask, const Keyring& keyring)
    : mask_(mask), key_id_(keyring.current().id), engine_(engine_of(mask, keyring.current())) {}

std::variant<MaskedText, Rejection> MaskFunction::of(std::string_view value,
                                                     std::string_view salt) {
  text_.clear();
  if (auto fault = make(value, salt)) return *std::move(fault);
  return MaskedText(text_);
}

MaybeRejection MaskFunction::make(std::string_view value, std::string_view salt) {
  switch (mask_.method) {
    case MaskMethod::hmac_sha256: {
      const auto form = canonical(mask_.canonical, value);
      if (!form) return no_canonical(mask_.canonical);
      append_hex(text_, std::get<HmacSha256>(engine_).of(*form));
      return std::nullopt;
    }
    case MaskMethod::aes_siv: {
      const auto form = canonical(mask_.canonical, value);
      if (!form) return no_canonical(mask_.canonical);
      if (form->empty()) return Rejection{Reason::bad_value, "an empty value has no aes-siv mask"};
      text_ = key_id_ + "." + to_base64url(std::get<AesSiv>(engine_).of(*form));
      return std::nullopt;
    }
    case MaskMethod::sha256:
    case MaskMethod::md5:
      append_hex(text_, std::get<UnkeyedDigest>(engine_).of(value));
      return std::nullopt;
    case MaskMethod::sha256_salted: {
      auto& digest = std::get<UnkeyedDigest>(engine_);
      append_hex(text_, mask_.salt_first ? digest.of(salt, value) : digest.of(value, salt));
      return std::nullopt;
    }
    case MaskMethod::redact:
      text_ = "[redacted]";
      return std::nullopt;
    case MaskMethod::ip_prefix: {
      const auto address = canonical_ip(value);
      if (!address) return no_canonical(Canonical::ip);
      text_ = prefix_of(*address);
      return std::nullopt;
    }
    case MaskMethod::email_domain: {
      auto email = canonical_email(value);
      if (!email) return no_canonical(Canonical::email);
      text_ = std::move(email->domain);
      return std::nullopt;
    }
    case MaskMethod::drop:
      break;
  }
  bug("a mask method without a text");
}

}  // namespace sluice
