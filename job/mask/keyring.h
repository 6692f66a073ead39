// SPDX-License-Identifier: Apache-2.0
// The keys of the masks: a file that only its owner can read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "job/base/secret.h"

namespace sluice {

/// {"version":1,"current":"ID","keys":[{"id":"ID","created":"RFC 3339","secret":"base64 of 32
/// bytes"}]}
class Keyring {
 public:
  struct Key {
    std::string id;  // 1–64 of [A-Za-z0-9_-]; stands before the dot of an aes-siv mask
    std::string created;
    Secret secret;  // 32 bytes
  };

  /// Failure{configuration} with the path when missing, malformed, without its current key, with a
  /// key that is short, that is there under two ids or that repeats a few bytes, when others can
  /// write it, or when others can read it and it lies on a disk (on a memory file system, where
  /// Kubernetes and systemd put secrets, that is their business).
  static Keyring read(const std::string& path);
  /// For a test, or for a file that is being made.
  static Keyring parse(std::string_view json, const std::string& path);
  /// A new keyring with one random key.
  static Keyring generate(std::int64_t wall_ms);

  /// Adds a random key and makes it the current one; older keys stay.
  void rotate(std::int64_t wall_ms);
  Secret to_json() const;

  const Key& current() const;
  const Key* find(std::string_view id) const;
  const std::vector<Key>& keys() const { return keys_; }
  /// How the current key shows that it was not drawn at random, or nothing.
  std::string weakness() const;

 private:
  bool has_secret(const Secret& secret) const;

  std::string current_;
  std::vector<Key> keys_;
};

/// HKDF-SHA-256 without salt: the key of one purpose. `info` is "sluice/mask/v1/" + domain,
/// "sluice/siv/v1/" + domain or "sluice/seal/v1"; `length` in bytes.
Secret derive_key(const Keyring::Key& key, std::string_view info, std::size_t length);

}  // namespace sluice
