// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/mixed_world.h"

#include <chrono>
#include <map>
#include <numeric>
#include <stdexcept>

#include <gtest/gtest.h>

#include "job/pipeline/limits.h"

namespace sluice {
namespace {

constexpr char kDead[] = "dead";
constexpr std::size_t kRest = 2;  // its delete is held, that of the ten before it is not
constexpr std::size_t kWindow = kBatch + kRest;
constexpr std::size_t kOpen = 5;
constexpr auto kGlance = std::chrono::milliseconds(1);

/// Loads are numbered in each run. Where public.held says so, one waits for an advisory lock; when
/// that is at its beginning, it then fails. A load makes every constraint immediate when it begins:
/// the one at its COMMIT is put off again.
constexpr const char* kMayBeHeld = R"(
  CREATE SEQUENCE public.loads;
  CREATE TABLE public.held (moment text, load bigint);
  CREATE TABLE public.committed (nth serial, window_id uuid);
  CREATE FUNCTION public.may_be_held() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF TG_ARGV[0] = 'begin' THEN
      PERFORM nextval('public.loads');
      SET CONSTRAINTS sluice.at_commit DEFERRED;
    ELSIF TG_ARGV[0] = 'commit' THEN
      INSERT INTO public.committed (window_id) VALUES (NEW.window_id);
    END IF;
    IF EXISTS (SELECT FROM public.held
               WHERE moment = TG_ARGV[0] AND load = currval('public.loads')) THEN
      PERFORM pg_advisory_xact_lock_shared(hashtext(TG_ARGV[0]));
      IF TG_ARGV[0] = 'begin' THEN
        RAISE 'asked for by the test' USING ERRCODE = '40001';
      END IF;
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER at_begin BEFORE INSERT ON sluice.loaded_window
    FOR EACH STATEMENT EXECUTE FUNCTION public.may_be_held('begin');
  CREATE TRIGGER at_copy BEFORE INSERT ON public.user_logins
    FOR EACH STATEMENT EXECUTE FUNCTION public.may_be_held('copy');
  CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON sluice.loaded_window
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.may_be_held('commit');
)";

std::size_t entries_of(const boost::json::object& request) {
  return request.at("Entries").as_array().size();
}

std::string told(const std::vector<Window>& windows) {
  std::string text;
  for (const Window& window : windows) {
    text += " " + std::to_string(static_cast<int>(window.state)) + ":" +
            std::to_string(window.messages);
  }
  return text;
}

}  // namespace

/// Lets what is held go on when destroyed.
class MixedWorld::Hold {
 public:
  Hold(MixedWorld& world, const Held& held) : world_(world), mix_(held.mix) {
    world_.database().run("SELECT setval('public.loads', 1, false)");
    if (held.load_fails) hold_load("begin", 1);
    if (count_of(mix_, "c") > 0) hold_load("copy", held.load);
    if (count_of(mix_, "m") > 0) hold_load("commit", held.load);
    SandboxFaults& faults = world_.aws().faults();
    faults.clear();
    faults.add({.on = "ReceiveMessage",
                .when = [&world](const auto&) { return world.tally().visible == 0; },
                .fault = {.gate = receives_, .drop_before = true}});
    faults.add({.on = "DeleteMessageBatch",
                .when = [](const auto& request) { return entries_of(request) == kRest; },
                .fault = {.gate = deletes_, .drop_before = true}});
    if (held.forward_fails) {
      faults.add({.on = "SendMessageBatch",
                  .most = 1,
                  .fault = {.gate = refusal_, .fail_entries = 1, .sender_fault = true}});
    }
    faults.add({.on = "SendMessageBatch", .fault = {.gate = forwards_, .drop_before = true}});
  }
  ~Hold() {
    world_.aws().faults().clear();
    world_.answer_empty_polls_at_once();
    world_.database().run("DELETE FROM public.held");
    for (auto& [moment, session] : locks_) session.run("ROLLBACK");
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  /// Asked again and again. Throws after half a minute: a test that hangs tells nothing.
  bool is_reached() {
    const auto windows = world_.windows_left();
    if (std::chrono::steady_clock::now() > until_) {
      throw std::runtime_error(mix_ + " is never reached, but" + told(windows));
    }
    if (messages_in(windows) != world_.messages_) return false;
    // Only now: else the older window would have its second try before the next one is there.
    fail();
    return states_in(windows) == states_of(mix_) && is_deleted_in_part() && is_at_warehouse();
  }

  static std::vector<WindowState> states_in(const std::vector<Window>& windows) {
    std::vector<WindowState> states;
    for (const Window& window : windows) states.push_back(window.state);
    return states;
  }

 private:
  void hold_load(const std::string& moment, std::size_t load) {
    world_.database().run("INSERT INTO public.held VALUES ('" + moment + "', " +
                          std::to_string(load) + ")");
    TestSession& lock = locks_.emplace(moment, world_.database().session()).first->second;
    lock.run("BEGIN; SELECT pg_advisory_xact_lock(hashtext('" + moment + "'))");
  }

  void fail() {
    refusal_->open();
    const auto lock = locks_.find("begin");
    if (lock == locks_.end()) return;
    lock->second.run("ROLLBACK");
    locks_.erase(lock);
  }

  static std::size_t messages_in(const std::vector<Window>& windows) {
    return std::accumulate(
        windows.begin(), windows.end(), std::size_t{0},
        [](std::size_t sum, const Window& window) { return sum + window.messages; });
  }

  bool is_deleted_in_part() {
    return world_.tally().left() == world_.messages_ - kBatch * count_of(mix_, "d");
  }

  bool is_at_warehouse() {
    if (count_of(mix_, "f") > 0) return forwards_->wait_for_call(kGlance);
    if (count_of(mix_, "cm") == 0) return true;
    const std::string statement =
        count_of(mix_, "c") > 0 ? "query LIKE 'COPY \"public\"%'" : "query = 'COMMIT'";
    return world_.database().value(
               "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
               "AND application_name = 'sluice' AND wait_event = 'advisory' AND " +
               statement + ")::text") == "true";
  }

  MixedWorld& world_;
  const Mix mix_;
  const std::chrono::steady_clock::time_point until_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::shared_ptr<SandboxGate> receives_ = std::make_shared<SandboxGate>();
  std::shared_ptr<SandboxGate> deletes_ = std::make_shared<SandboxGate>();
  std::shared_ptr<SandboxGate> refusal_ = std::make_shared<SandboxGate>();
  std::shared_ptr<SandboxGate> forwards_ = std::make_shared<SandboxGate>();
  std::map<std::string, TestSession> locks_;  // by the moment that they hold
};

MixedWorld::MixedWorld() {
  aws().sqs().add_queue({.name = kDead});
  use_queue({.name = "logins", .max_receive_count = 9, .dead_letter_queue = kDead});
  variables()["SLUICE_REJECTIONS"] = "dead-letter-queue";
  variables()["SLUICE_WINDOW_MESSAGES"] = std::to_string(kWindow);
  variables()["SLUICE_RECEIVERS"] = "1";  // or windows would not fill in turn
  database().run(kMayBeHeld);
}

void MixedWorld::send_and_kill_in(const Mix& mix) {
  messages_ = 0;
  for (const char each : mix) {
    const std::size_t bad = count_of({each}, "wf");
    const std::size_t count = each == 'o' ? kOpen : kWindow;
    send_bad(static_cast<int>(bad));
    send_good(static_cast<int>(count - bad));
    messages_ += count;
  }
  const bool fails = !is_in_turn(mix);
  const bool forward_fails = fails && count_of({mix.front()}, "wf") > 0;
  const bool load_fails = fails && !forward_fails;
  const std::size_t before = count_of(mix, "wfd") + (load_fails ? 1 : 0);
  kill_in({mix, before + 1, load_fails, forward_fails});
}

void MixedWorld::kill_in_recovery_of(const Mix& mix) {
  kill_in({in_recovery(mix), count_of(mix, "m") + 1});
}

void MixedWorld::kill_in(const Held& held) {
  SCOPED_TRACE(held.mix);
  Hold hold(*this, held);
  kill_once([&] { return hold.is_reached(); });
  EXPECT_EQ(Hold::states_in(windows_left()), states_of(held.mix));
}

std::vector<std::string> MixedWorld::commits() {
  std::vector<std::string> ids;
  for (const Row& row : database().rows("SELECT window_id FROM public.committed ORDER BY nth")) {
    ids.push_back(row[0]);
  }
  return ids;
}

std::size_t MixedWorld::dead_letters() {
  std::size_t sent = 0;
  aws().sqs().with_queue(kDead,
                         [&](SandboxQueue& queue, Now now) { sent = queue.tally(now).sent; });
  return sent;
}

}  // namespace sluice
