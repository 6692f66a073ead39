// SPDX-License-Identifier: Apache-2.0
// A load whose connection is cut: between any two messages of the protocol, and around COMMIT.
#include <gtest/gtest.h>

#include "tests/support/loading.h"
#include "tests/support/tcp_proxy.h"

namespace sluice {
namespace {

using Act = TcpProxy::Act;

class Cut : public testing::Test {
 protected:
  SealedWindow next_window() {
    const int first = 4 * windows_++;
    return make_window({{.n = first},
                        {.n = first + 1, .receive_count = 2},
                        {.n = first + 2, .rejected = true},
                        {.n = first + 3}});
  }
  PostgresWarehouse warehouse() const { return db_.warehouse({}, nullptr, proxy_.port()); }

  void expect_every_window_once() {
    const std::string windows = std::to_string(windows_);
    const std::string rows = std::to_string(3 * windows_);
    EXPECT_EQ(
        db_.rows("SELECT count(*), count(DISTINCT n) FROM public.numbers UNION ALL SELECT count(*),"
                 " count(DISTINCT message_id) FROM sluice.rejected_message UNION ALL"
                 " SELECT sum(loaded), sum(rejected) FROM sluice.loaded_window UNION ALL"
                 " SELECT count(*), sum(duplicate) FROM sluice.loaded_window"),
        (std::vector<Row>{{rows, rows}, {windows, windows}, {rows, windows}, {windows, "0"}}));
  }

  LoadingDatabase db_;
  TcpProxy proxy_{TestCluster::shared().value("PGPORT")};
  int windows_ = 0;
};

TEST_F(Cut, between_any_two_messages_the_next_load_settles_what_happened) {
  int messages = 0;
  proxy_.set_rule([&](const TcpProxy::Message&) { return ++messages, Act::pass; });
  loaded(warehouse().load(next_window(), false));
  proxy_.pass_everything();
  ASSERT_GT(messages, 50);

  int gone = 0;
  int learned = 0;
  for (int last = 1; last <= messages; ++last) {
    SCOPED_TRACE("cut after message " + std::to_string(last) + " of " + std::to_string(messages));
    const SealedWindow window = next_window();
    auto loader = warehouse();
    int seen = 0;
    proxy_.set_rule(
        [&](const TcpProxy::Message&) { return ++seen == last ? Act::cut_after : Act::pass; });
    const LoadResult first = loader.load(window, false);
    proxy_.pass_everything();
    LoadResult second = loader.load(window, false);
    if (std::holds_alternative<Loaded>(first) && std::holds_alternative<LoadFailed>(second)) {
      second = loader.load(window, false);  // only this one heard that the connection is cut
    }
    ASSERT_EQ(loaded(second).loaded, 3U);
    ASSERT_EQ(loaded(second).rejected, 1U);
    if (std::holds_alternative<Loaded>(first)) {
      EXPECT_TRUE(std::get<Loaded>(second).learned) << "believed, and not there";
      continue;
    }
    EXPECT_TRUE(failed(first).again);
    EXPECT_EQ(failed(first).failure.fault(), Fault::temporary);
    ++(std::get<Loaded>(second).learned ? learned : gone);
  }
  EXPECT_GT(learned, 0) << "no COMMIT lost its answer: this test has shown nothing";
  EXPECT_GT(gone, 0);
  expect_every_window_once();
}

TEST_F(Cut, before_commit_arrives_nothing_is_there_and_after_it_all_of_it_is) {
  for (const Act act : {Act::cut_before, Act::cut_after}) {
    const SealedWindow window = next_window();
    auto loader = warehouse();
    proxy_.set_rule([act](const TcpProxy::Message& message) {
      return message.asks_for("COMMIT") ? act : Act::pass;
    });
    const LoadFailed doubt = failed(loader.load(window, false));
    EXPECT_TRUE(doubt.again);
    proxy_.pass_everything();
    const LoadResult again = loader.load(window, false);
    EXPECT_EQ(std::get<Loaded>(again).learned, act == Act::cut_after);
    EXPECT_EQ(loaded(again).loaded, 3U);
  }
  expect_every_window_once();
}

TEST_F(Cut, a_commit_whose_answer_does_not_come_is_given_up_and_learned) {
  const SealedWindow window = next_window();
  auto impatient = db_.warehouse({.commit_ms = 100}, nullptr, proxy_.port());
  bool committed = false;
  proxy_.set_rule([&](const TcpProxy::Message& message) {
    committed = committed || message.asks_for("COMMIT");
    return committed && !message.from_client ? Act::stall : Act::pass;
  });
  EXPECT_TRUE(failed(impatient.load(window, false)).again);
  proxy_.pass_everything();
  EXPECT_TRUE(std::get<Loaded>(impatient.load(window, false)).learned);
  expect_every_window_once();
}

}  // namespace
}  // namespace sluice
