// SPDX-License-Identifier: Apache-2.0
// Message → masked rows, or a sealed rejection. The border between clear and masked: nothing clear
// goes past it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "checkpoint/staged.h"
#include "job/config/pipeline.h"
#include "job/mask/keyring.h"
#include "job/queue/queue.h"

namespace sluice {

/// SQS message ids are UUIDs. Another server's id becomes a UUID made of its SHA-256 (version 8 of
/// RFC 9562).
MessageId message_id(std::string_view text);

/// decode → validate → mask, for one pipeline under one keyring. Reuses its buffers: one object,
/// one thread.
class Masker {
 public:
  /// Failure{configuration} when OpenSSL lacks or miscomputes what the masks need (self-test at
  /// start).
  Masker(const Pipeline& pipeline, const Keyring& keyring);
  ~Masker();

  struct Verdict {
    bool rejected = false;
    std::string_view reason;  // when rejected; a constant
  };
  /// Adds the message to `batch`: its rows, or its rejection with the body sealed.
  Verdict stage(const Message& message, StagedBatch& batch);

  /// What it did so far; nothing decides by it.
  struct Work {
    std::int64_t decode_ns = 0;
    std::int64_t validate_ns = 0;  // checking values and making rows of them
    std::int64_t mask_ns = 0;      // sealing too
    /// By method of those in the pipeline, as its file writes them. A value is counted when it is
    /// masked, whatever becomes of its message.
    std::map<std::string_view, std::uint64_t> masked_values = {};
    std::uint64_t unmapped_fields = 0;  // distinct, as UnmappedFields counts them
  };
  Work work() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
