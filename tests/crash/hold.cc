// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/hold.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <gtest/gtest.h>

#include "job/pipeline/limits.h"

namespace sluice {
namespace {

constexpr auto kGlance = std::chrono::milliseconds(2);
// Before it a run asks, with a delete of nothing, whether it may.
constexpr int kFirstDelete = 2;

/// The first bytes of a rollback journal that is not finished
/// (https://www.sqlite.org/fileformat2.html, section 3).
constexpr std::string_view kHotJournal = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";

/// At its COMMIT a load waits for an advisory lock. A load makes every constraint immediate when it
/// begins; this one is put off again.
constexpr const char* kWaitAtCommit = R"(
  CREATE OR REPLACE FUNCTION public.wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF TG_LEVEL = 'STATEMENT' THEN
      SET CONSTRAINTS sluice.wait_at_commit DEFERRED;
    ELSE
      PERFORM pg_advisory_xact_lock_shared(1);
    END IF;
    RETURN NULL;
  END $$;
  CREATE OR REPLACE TRIGGER put_off BEFORE INSERT ON sluice.loaded_window
    FOR EACH STATEMENT EXECUTE FUNCTION public.wait_at_commit();
  DROP TRIGGER IF EXISTS wait_at_commit ON sluice.loaded_window;
  CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON sluice.loaded_window
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.wait_at_commit();
)";

}  // namespace

bool is_hot(const std::string& journal) {
  std::string begin(kHotJournal.size(), '\0');
  std::ifstream(journal, std::ios::binary)
      .read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin == kHotJournal;
}

const char* name_of(Phase phase) {
  constexpr std::array kNames = {"checking_queue",
                                 "checking_postgres",
                                 "recording_start",
                                 "idle",
                                 "in_hand",
                                 "staging",
                                 "open",
                                 "loading",
                                 "committing",
                                 "forwarding",
                                 "forwarded",
                                 "deleting",
                                 "between_deletes",
                                 "deleted",
                                 "recording_end"};
  return kNames.at(static_cast<std::size_t>(phase));
}

void PrintTo(Phase phase, std::ostream* out) { *out << name_of(phase); }

WindowState state_in(Phase phase) {
  if (phase == Phase::open) return WindowState::open;
  if (phase == Phase::loading || phase == Phase::committing) return WindowState::sealed;
  if (phase >= Phase::forwarding && phase <= Phase::deleted) return WindowState::loaded;
  throw std::logic_error("no window in this phase");
}

Hold::Hold(CrashWorld& world, Phase phase)
    : world_(world),
      phase_(phase),
      at_start_(world.tally()),
      receives_(world.aws().calls()["ReceiveMessage"]) {
  for (const Window& window : world_.windows_left()) {
    last_opened_ms_ = std::max(last_opened_ms_, window.opened_ms);
  }
  const SandboxFault before{.gate = gate_, .drop_before = true};
  const SandboxFault after{.gate_after = gate_, .drop_after = true};
  world_.aws().faults().clear();
  switch (phase) {
    case Phase::checking_queue:
      hold_call("GetQueueAttributes", 1, before);
      break;
    case Phase::checking_postgres:
      hold_with("LOCK TABLE sluice.migration", "query LIKE '%sluice.migration%'");
      break;
    case Phase::recording_start:
      hold_with("LOCK TABLE sluice.run IN EXCLUSIVE MODE", "query LIKE 'INSERT INTO sluice.run%'");
      break;
    case Phase::idle:
      return;  // its polls are not answered at once
    case Phase::in_hand:
    case Phase::staging:
      break;
    case Phase::open:
      world_.aws().faults().add(
          {.on = "ReceiveMessage",
           .when = [&world](const auto&) { return world.tally().visible == 0; },
           .fault = before});
      break;
    case Phase::loading:
      hold_with("LOCK TABLE public.user_logins", "query LIKE 'COPY \"public\"%'");
      break;
    case Phase::committing:
      world_.database().run(kWaitAtCommit);
      hold_with("SELECT pg_advisory_xact_lock(1)", "query = 'COMMIT'");
      break;
    case Phase::forwarding:
      hold_call("SendMessageBatch", 1, before);
      break;
    case Phase::forwarded:
      hold_call("SendMessageBatch", 1, after);
      break;
    case Phase::deleting:
      hold_call("DeleteMessageBatch", kFirstDelete, after);
      break;
    case Phase::between_deletes:
      hold_call("DeleteMessageBatch", kFirstDelete + 2, before);
      break;
    case Phase::deleted:
      hold_call("DeleteMessageBatch", kFirstDelete + 2, after);
      break;
    case Phase::recording_end:
      hold_call("ReceiveMessage", 1, {.gate = gate_});
      activity_ = "query LIKE 'UPDATE sluice.run%'";
      break;
  }
  world_.answer_empty_polls_at_once();
}

Hold::~Hold() { let_go(); }

void Hold::let_go() {
  if (locker_) locker_->run("ROLLBACK");
  locker_.reset();
  world_.aws().faults().clear();
  world_.answer_empty_polls_at_once();
}

void Hold::hold_call(const std::string& operation, int call, SandboxFault fault) {
  world_.aws().faults().add({.on = operation, .calls = {call}, .fault = std::move(fault)});
}

void Hold::hold_with(const std::string& sql, const std::string& activity) {
  locker_ = std::make_unique<TestSession>(world_.database().session());
  locker_->run("BEGIN; " + sql);
  activity_ = activity;
}

std::vector<std::string> Hold::before() const {
  if (phase_ != Phase::staging) return {};
  constexpr const char* kSlowly = "inject=fdatasync:delay_enter=100000";  // microseconds
  // -D: the program stays our child, and signals reach it.
  return {"strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", kSlowly};
}

bool Hold::is_reached() {
  switch (phase_) {
    case Phase::idle:
      return world_.aws().calls()["ReceiveMessage"] > receives_;
    case Phase::in_hand:
      return world_.tally().in_flight == at_start_.left();
    case Phase::staging:
      return world_.tally().in_flight > 0 && is_hot(world_.checkpoint() + "-journal");
    case Phase::open:
      return is_staged();
    case Phase::between_deletes:
      return gate_->wait_for_call(kGlance) && world_.tally().left() + kBatch < at_start_.left();
    case Phase::deleted:
      return gate_->wait_for_call(kGlance) && world_.tally().left() == 0;
    case Phase::recording_end:
      return lock_the_record() && is_waited_for();
    default:
      return activity_.empty() ? gate_->wait_for_call(kGlance) : is_waited_for();
  }
}

/// Looks at a copy, made while the run writes: what is not whole in it shows no window.
bool Hold::is_staged() const {
  const auto windows = world_.windows_left();
  return std::ranges::any_of(windows, [this](const Window& window) {
    return window.opened_ms > last_opened_ms_ && window.state == WindowState::open &&
           window.messages == at_start_.visible;
  });
}

bool Hold::is_waited_for() {
  return world_.database().value(
             "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
             "application_name = 'sluice' AND wait_event_type = 'Lock' AND " +
             activity_ + ")::text") == "true";
}

/// Only once the run is recorded: its first statement is not the one that is to wait.
bool Hold::lock_the_record() {
  if (locker_) return true;
  if (!gate_->wait_for_call(kGlance)) return false;
  locker_ = std::make_unique<TestSession>(world_.database().session());
  locker_->run("BEGIN; LOCK TABLE sluice.run IN EXCLUSIVE MODE");
  gate_->open();
  return true;
}

void kill_in(CrashWorld& world, Phase phase) {
  SCOPED_TRACE(name_of(phase));
  Hold hold(world, phase);
  world.kill_once([&] { return hold.is_reached(); });
  const auto windows = world.windows_left();
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(windows[0].state, state_in(phase));
}

}  // namespace sluice
