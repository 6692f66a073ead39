// SPDX-License-Identifier: Apache-2.0
// The heart: what a run does next. A state machine without threads, sockets or sleep: events go in,
// orders come out.
//
//   receive → decode → validate → mask → stage → load → delete
//
// Several windows are under way at once: while one is loaded and another deleted, the next is
// received. What is found in the checkpoint at the start enters in the middle: there is no other
// path for recovery.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "job/base/clock.h"
#include "job/pipeline/books.h"
#include "job/pipeline/calls.h"
#include "job/pipeline/held_window.h"
#include "job/pipeline/leases.h"
#include "job/pipeline/limits.h"
#include "job/pipeline/measures.h"
#include "job/pipeline/orders.h"
#include "job/pipeline/receiving.h"
#include "job/pipeline/staging.h"

namespace sluice {

enum class StopReason { drained, max_messages, max_runtime, interrupted, error };

/// What a window needs next, from where it durably is.
enum class Step { receive, seal, load, forward, remove, close, none };

class Drain {
 public:
  /// The windows of `checkpoint` are carried in. `new_id` gives 128 random bits. Everything is
  /// referred to, not owned. `limits` must outlive the heart. Throws Failure for what the
  /// checkpoint throws.
  Drain(const Limits& limits, Masker& masker, Checkpoint& checkpoint, std::size_t tables,
        std::function<WindowId()> new_id, Now start);

  /// Takes one event and gives the orders that follow. The first call is with a Tick.
  std::vector<Order> step(Event event, Now now);

  /// When the next Tick is wanted, on the steady clock.
  std::int64_t wake_ms() const;
  /// Nothing is left to do or to wait for; the books are closed.
  bool ended() const { return ended_; }

  const Books& books() const { return books_; }
  Measures measures() const;
  StopReason stop_reason() const { return reason_; }
  const std::optional<Failure>& failure() const { return failure_; }
  /// The queue's own counters when last asked; for a report, never for a decision.
  const std::optional<QueueCounts>& counts() const { return counts_; }

 private:
  /// running: receives. finishing: receives no more, completes every window. leaving: starts
  /// nothing, keeps windows where they are, gives the unstaged back.
  enum class Mode { running, finishing, leaving };

  using Windows = std::list<HeldWindow>;

  void on(const Tick&) {}
  void on(Received& answer);
  void on(BatchAnswered& answer);
  void on(Counted& answer);
  void on(CallFailed& answer);
  void on(LoadAnswered& answer);
  void on(ForwardAnswered& answer);
  void on(const Interrupted&);
  void loaded(HeldWindow& held, const Loaded& learned);
  HeldWindow& back_from_warehouse(std::int64_t window);
  void warehouse_failed(HeldWindow& held, const Failure& failure, bool again);

  void plan();
  Step next(const HeldWindow& held) const;
  bool is_full(const HeldWindow& held) const;
  std::int64_t complete_ms(const HeldWindow& held) const;
  bool is_complete(const HeldWindow& held) const;
  void advance(HeldWindow& held);
  void seal(HeldWindow& held);
  void load(HeldWindow& held);
  void forward(HeldWindow& held);
  void remove(HeldWindow& held);
  void close(HeldWindow& held);
  void prune();
  void extend();
  void receive();
  void look();
  void end_if_done();

  void take(std::vector<Message>& messages);
  HeldWindow& open_window();
  void begin_deletes(HeldWindow& held, const std::vector<std::uint32_t>& left = {});
  void return_from(const std::vector<Message>& messages, std::size_t first);
  void hide(const std::vector<std::string>& handles, int visibility_s, Call::Kind kind);
  void return_unstaged();
  bool keeps(std::uint32_t receive_count) const;
  bool is_past(const std::vector<Message>& messages) const;
  void finish(StopReason reason, std::optional<Failure> failure = std::nullopt);
  void leave(StopReason reason, std::optional<Failure> failure, std::int64_t within_ms);
  void close_books();
  void keep_leftover(const HeldWindow& held);

  HeldWindow* find(std::int64_t number);
  std::uint64_t held() const;
  std::uint64_t room() const;
  bool disk_is_full() const;
  bool may_receive() const;
  bool has_carried() const;
  bool may_look() const;
  std::int64_t ask_warehouse_ms(const HeldWindow& held) const;
  bool extending_is_late() const;

  const Limits& limits_;
  Checkpoint& checkpoint_;
  std::function<WindowId()> new_id_;
  Now start_;
  Now now_;

  Windows windows_;
  Staging staging_;
  Receiving receiving_;
  Leases leases_;
  Books books_;
  Measures measured_;  // here; the rest is measured by the parts
  Calls calls_;
  std::size_t removes_ = kFirstRemoves;       // calls that may be under way
  std::optional<std::int64_t> at_warehouse_;  // the window that is loaded or forwarded
  std::uint64_t closed_ = 0;                  // windows
  std::uint64_t closed_bytes_ = 0;            // since the last prune
  bool extending_fails_ = false;
  std::int64_t receive_after_ms_ = 0;
  std::int64_t next_look_ms_ = 0;
  bool final_look_ = false;

  Mode mode_ = Mode::running;
  StopReason reason_ = StopReason::drained;
  std::optional<Failure> failure_;
  std::optional<QueueCounts> counts_;
  std::int64_t leave_by_ms_ = 0;
  std::int64_t interrupt_load_ms_ = 0;
  bool ended_ = false;
  std::vector<Order> orders_;
};

}  // namespace sluice
