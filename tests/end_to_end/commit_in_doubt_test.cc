// SPDX-License-Identifier: Apache-2.0
// The answer to COMMIT does not come, or Postgres and the checkpoint remember different things:
// what the run, and the next one, make of it.
#include <future>

#include <signal.h>

#include "job/base/clock.h"
#include "tests/end_to_end/scene.h"
#include "tests/support/tcp_proxy.h"

namespace sluice {
namespace {

using Act = TcpProxy::Act;

constexpr int kMessages = 10;
constexpr std::int64_t kDayMs = 86'400'000;

std::string backend(const std::string& that) {
  return "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
         "application_name = 'sluice' AND " +
         that + ")";
}

class InDoubtRun : public testing::Test {
 protected:
  InDoubtRun() {
    world_.variables()["PGPORT"] = proxy_.port();
    world_.variables()["SLUICE_EMPTY_POLLS"] = "1";
    world_.answer_empty_polls_at_once();
  }
  std::string rows() { return world_.database().value("SELECT count(*) FROM public.user_logins"); }

  /// A run whose first COMMIT meets this, and after which Postgres is away; it is told to stop.
  void stop_in_doubt(Act act) {
    std::promise<void> is_cut;
    proxy_.set_rule([&, cut = false](const TcpProxy::Message& message) mutable {
      if (cut) return Act::cut_before;
      if (!message.asks_for("COMMIT")) return Act::pass;
      cut = true;
      is_cut.set_value();
      return act;
    });
    const auto run = world_.start_run({"--window-messages", std::to_string(kMessages)});
    ASSERT_EQ(is_cut.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
    world_.database().wait_until("NOT " + backend("true"));
    run->signal(SIGTERM);
    const Outcome outcome = run->wait();
    EXPECT_EQ(outcome.status, 143) << outcome.err;
    EXPECT_EQ(outcome.count("carried_out"), kMessages);
    EXPECT_EQ(outcome.count("loaded"), 0);
    expect_books_add_up(outcome.summary());
    EXPECT_EQ(world_.left_in_queue(), static_cast<std::size_t>(kMessages));
    proxy_.pass_everything();
  }

  LoginWorld world_;
  TcpProxy proxy_{TestCluster::shared().value("PGPORT")};
};

TEST_F(InDoubtRun, cut_around_its_commit_it_loads_again_and_counts_each_message_once) {
  for (const Act act : {Act::cut_before, Act::cut_after}) {
    SCOPED_TRACE(act == Act::cut_after ? "the answer is lost" : "it never arrived");
    world_.send(kMessages);
    proxy_.set_rule([act, cut = false](const TcpProxy::Message& message) mutable {
      if (cut || !message.asks_for("COMMIT")) return Act::pass;
      cut = true;
      return act;
    });
    const Outcome outcome = world_.run();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_NE(outcome.err.find("load-retried"), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.count("loaded") + outcome.count("rejected"), kMessages);
    EXPECT_EQ(outcome.count("duplicate"), 0);
    EXPECT_EQ(outcome.count("deleted"), kMessages);
    expect_books_add_up(outcome.summary());
  }
  world_.expect_everything_once();
  EXPECT_EQ(world_.database().value("SELECT count(*) FROM sluice.loaded_window"), "2");
}

TEST_F(InDoubtRun, stopped_while_in_doubt_it_deletes_nothing_and_the_next_run_learns) {
  for (const Act act : {Act::cut_before, Act::cut_after}) {
    SCOPED_TRACE(act == Act::cut_after ? "the answer is lost" : "it never arrived");
    world_.send(kMessages);
    stop_in_doubt(act);
    const Outcome next = world_.run();
    EXPECT_EQ(next.status, 0) << next.err;
    EXPECT_EQ(next.count("carried_in"), kMessages);
    EXPECT_EQ(next.count("loaded") + next.count("rejected"), kMessages);
    expect_books_add_up(next.summary());
    world_.run_until_empty();
  }
  world_.expect_everything_once();
}

/// A window that lay in the checkpoint for so long that the ledger may have forgotten its messages.
class OldWindow : public InDoubtRun {
 protected:
  void stop_with_old_messages(Act act) {
    world_.aws().sqs().with_queue(kLoginQueue, [](SandboxQueue& queue, Now at) {
      for (int i = 0; i < kMessages; ++i) {
        queue.send({.body = login_body(std::to_string(i)), .sent_ms = now().wall_ms - 9 * kDayMs},
                   at);
      }
    });
    stop_in_doubt(act);
  }
};

TEST_F(OldWindow, that_was_committed_is_learned_whatever_its_age) {
  stop_with_old_messages(Act::cut_after);
  const Outcome next = world_.run({"--dedup-days", "5"});
  EXPECT_EQ(next.status, 0) << next.err;
  EXPECT_EQ(next.count("loaded"), kMessages);
  EXPECT_EQ(next.count("deleted"), kMessages);
  EXPECT_EQ(world_.left_in_queue(), 0U);
  EXPECT_EQ(rows(), std::to_string(kMessages));
}

TEST_F(OldWindow, that_was_not_is_set_aside_and_told_and_its_messages_come_from_the_queue) {
  stop_with_old_messages(Act::cut_before);
  // Nothing to receive yet: their leases are what the stopped run left.
  world_.aws().faults().add({.on = "ReceiveMessage", .most = 2, .fault = {.empty = true}});
  const Outcome next = world_.run({"--dedup-days", "5", "--empty-polls", "1"});
  EXPECT_EQ(next.status, 0) << next.err;
  EXPECT_NE(next.err.find("window-set-aside"), std::string::npos) << next.err;
  EXPECT_EQ(next.count("carried_in"), kMessages);
  EXPECT_EQ(next.count("carried_out"), kMessages);
  expect_books_add_up(next.summary());
  EXPECT_EQ(rows(), "0");
  EXPECT_EQ(world_.left_in_queue(), static_cast<std::size_t>(kMessages));

  const Outcome status = world_.call({"status"});
  EXPECT_NE(status.out.find("set aside"), std::string::npos) << status.out;
  world_.run_until_empty();
  EXPECT_EQ(rows(), std::to_string(kMessages));
}

TEST_F(InDoubtRun, what_postgres_has_lost_is_loaded_again_whatever_the_checkpoint_remembers) {
  world_.send(kMessages);
  EXPECT_EQ(world_.run().status, 0);
  // As after a failover to a standby that had not got it.
  world_.database().run(
      "TRUNCATE public.user_logins, sluice.loaded_message, sluice.loaded_window, "
      "sluice.rejected_message");
  deliver_all_again(world_);
  const Outcome again = world_.run();
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.count("duplicate"), 0);
  world_.expect_everything_once();
}

TEST_F(InDoubtRun, a_frozen_worker_that_wakes_up_after_its_heir_loads_and_loses_nothing) {
  world_.send(kMessages);
  // The backend goes on to the end of its COPY while its worker is frozen, and is then idle.
  world_.database().run(
      "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
      " PERFORM set_config('idle_in_transaction_session_timeout', '200ms', true);"
      " PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END$$;"
      "CREATE TRIGGER hold AFTER INSERT ON public.user_logins EXECUTE FUNCTION hold()");
  TestSession holder = world_.database().session();
  holder.run("SELECT pg_advisory_lock(7)");
  // As many as there are: a poll that is still open would get them again when their leases lapse.
  const auto frozen = world_.start_run({"--max-messages", std::to_string(kMessages)});
  world_.database().wait_until(backend("wait_event = 'advisory'"));
  frozen->signal(SIGSTOP);
  holder.run("SELECT pg_advisory_unlock(7)");
  world_.let_leases_lapse();
  const Outcome heir = world_.run({"--worker", "heir", "--checkpoint", world_.folder() + "/h.db"});
  EXPECT_EQ(heir.status, 0) << heir.err;
  EXPECT_EQ(heir.count("deleted"), kMessages);
  world_.expect_everything_once();

  frozen->signal(SIGCONT);
  const Outcome woken = frozen->wait();
  EXPECT_EQ(woken.status, 0) << woken.err;
  EXPECT_EQ(woken.count("duplicate"), kMessages);
  expect_books_add_up(woken.summary());
  world_.expect_everything_once();
}

}  // namespace
}  // namespace sluice
