// SPDX-License-Identifier: Apache-2.0
// Everything that a run needs survives a pooler that gives each transaction another connection.
#include "tests/support/pgbouncer.h"

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

TEST(PgBouncer, in_transaction_mode_runs_side_by_side_load_everything_once) {
  LoginWorld world(false);
  const PgBouncer pooler(TestCluster::shared(), 2);
  world.variables()["PGPORT"] = pooler.port();
  const Outcome migrated = world.call({"migrate", "--with-tables"});
  ASSERT_EQ(migrated.status, 0) << migrated.err;
  world.send(300);
  world.answer_empty_polls_at_once();
  // Duplicates, rejections and refusals take every path through the load.
  world.aws().faults().add({.on = "ReceiveMessage", .chance = 0.3, .fault = {.twice = true}});
  std::vector<std::unique_ptr<Program>> runs;
  for (const char* worker : {"a", "b", "c"}) {
    runs.push_back(world.start_run({"--worker", worker, "--window-messages", "20", "--checkpoint",
                                    world.folder() + "/" + worker + ".db"}));
  }
  for (const auto& run : runs) {
    const Outcome outcome = run->wait();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    expect_books_add_up(outcome.summary());
  }
  world.expect_everything_once();
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.run WHERE exit_code = 0"), "3");

  // Nothing that a run had set for itself is left on a connection for others.
  TestSession next("host=127.0.0.1 user=postgres port=" + pooler.port() +
                   " dbname=" + world.database().name());
  for (const char* name :
       {"lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"}) {
    EXPECT_EQ(next.value(std::string("SHOW ") + name), "0") << name;
  }
  EXPECT_EQ(world.call({"check"}).status, 0);
  EXPECT_EQ(world.call({"status"}).status, 0);
}

}  // namespace
}  // namespace sluice
