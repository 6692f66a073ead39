// SPDX-License-Identifier: Apache-2.0
// The seam to the queue: what the heart may ask of it, and what comes back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "job/base/failure.h"
#include "job/base/rejection.h"

namespace sluice {

/// A message attribute set by the sender. `type` begins with "String", "Number" or "Binary"; a
/// binary value is base64.
struct MessageAttribute {
  std::string name;
  std::string type;
  std::string value;
};

/// One delivery of a message. Clear text: it lives in memory only.
struct Message {
  std::string id;
  std::string receipt;
  std::string body;
  std::int64_t sent_ms = 0;  // 0: not known, of a body in an archive
  std::uint32_t receive_count = 1;
  std::string sequence;  // FIFO only
  std::string group;     // FIFO only
  std::vector<MessageAttribute> attributes;
  /// The body held lone surrogates, which are no text; they were replaced to read its neighbours.
  bool bad_encoding = false;
  /// What was found before its body was looked at, and in which field.
  MaybeRejection unusable = {};
  std::string unusable_field = {};
};

struct QueueFacts {
  std::string url;
  bool fifo = false;
  std::int64_t visibility_s = 30;  // the queue's own visibility timeout
  std::int64_t retention_s = 345'600;
  std::optional<int> max_receive_count;  // of its redrive policy; none when it has no policy
  std::string dead_letter_arn = {};      // likewise; empty when it has none
  std::string arn = {};                  // empty when the queue does not tell it
};

struct QueueCounts {
  std::int64_t visible = 0;
  std::int64_t in_flight = 0;
  std::int64_t delayed = 0;
};

/// One entry of a batch: by receipt handle.
struct EntryResult {
  bool done = false;
  bool sender_fault = false;  // do not try again; it will be redelivered
  std::string code;           // empty when done
};

/// Names an order in its answer. Chosen by the caller; never reused within a run.
using Ticket = std::uint64_t;

/// Answer to `receive`. Empty when the queue had nothing to give.
struct Received {
  Ticket ticket = 0;
  std::vector<Message> messages;
  bool in_flight_limit = false;  // OverLimit: nothing more until something is deleted
  bool more_comes = false;       // nothing yet, but this is not the end: a pipe
};
/// Answer to `remove` and `hide`: one result an entry, in the order asked.
struct BatchAnswered {
  Ticket ticket = 0;
  std::vector<EntryResult> results;
};
/// Answer to `count`.
struct Counted {
  Ticket ticket = 0;
  QueueCounts counts;
};
/// The call as a whole failed, after the retries that its kind of error deserves.
struct CallFailed {
  Ticket ticket = 0;
  Failure failure;
};
using QueueAnswer = std::variant<Received, BatchAnswered, Counted, CallFailed>;

/// Requests of one operation, retries included.
struct Traffic {
  std::uint64_t sent = 0;
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;    // an error, or no answer; neither ok nor failed: abandoned
  std::uint64_t repeated = 0;  // of those sent: another attempt of a call

  void operator+=(const Traffic& other) {
    sent += other.sent;
    ok += other.ok;
    failed += other.failed;
    repeated += other.repeated;
  }
};
/// By AWS's name of the operation.
using Requests = std::map<std::string, Traffic>;

/// Orders start at once and are answered through `wait`, in any order, each exactly once (or never,
/// after `abandon`).
class Queue {
 public:
  virtual ~Queue() = default;

  /// At most `most` (1–10) messages, waiting up to `wait_s` for the first; hidden from others for
  /// `visibility_s`.
  virtual void receive(Ticket ticket, int most, int wait_s, int visibility_s) = 0;
  /// Deletes up to ten messages. Accepted is not proof: a stale handle is accepted and deletes
  /// nothing.
  virtual void remove(Ticket ticket, const std::vector<std::string>& handles) = 0;
  /// Keeps up to ten messages hidden for `visibility_s` from now; 0 gives them back.
  virtual void hide(Ticket ticket, const std::vector<std::string>& handles, int visibility_s) = 0;
  virtual void count(Ticket ticket) = 0;

  /// From now on no receive is sent, not even another attempt of one: those that were not sent yet
  /// fail. A stop cannot wait for a poll that begins after it.
  virtual void stop_receiving() = 0;

  /// Waits until an answer is there, `at_most_ms` passed, or `wake` was called; appends the
  /// answers. With nothing under way it still waits.
  virtual void wait(std::int64_t at_most_ms, std::vector<QueueAnswer>& answers) = 0;
  /// Ends a `wait` early. From any thread.
  virtual void wake() = 0;
  /// Drops everything under way without an answer.
  virtual void abandon() = 0;

  /// So far.
  virtual Requests requests() const = 0;
};

}  // namespace sluice
