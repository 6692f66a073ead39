// SPDX-License-Identifier: Apache-2.0
// The heart in a test's hand: fed one event at a time, with a real checkpoint and a real masker,
// without queue, database or clock.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "job/base/log.h"
#include "job/config/pipeline_file.h"
#include "job/pipeline/drain.h"

namespace sluice {

inline constexpr std::string_view kPipeline =
    R"({"version":1,"name":"p","queue":{"name":"q"},"tables":[{"table":"t",
  "columns":[{"column":"v","from":"v","type":"text","required":true}]}]})";
inline constexpr std::int64_t kWall = 1'790'000'000'000;

class DrainTest : public testing::Test {
 protected:
  DrainTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("sluice-drain-" + std::to_string(::getpid()) + "-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name())),
        pipeline_(parse_pipeline(kPipeline, "p.json")),
        keyring_(Keyring::generate(kWall)),
        masker_(pipeline_, keyring_) {
    log().configure(LogFormat::json, Level::error);
    std::filesystem::create_directories(folder_);
  }
  ~DrainTest() override { std::filesystem::remove_all(folder_); }

  /// A new run on the same checkpoint; the one before is gone as after a kill -9.
  void start() {
    orders_.clear();
    heart_.reset();
    checkpoint_.reset();
    checkpoint_ = std::make_unique<Checkpoint>((folder_ / "c.db").string(),
                                               CheckpointIdentity{"p", "q", "d"}, kWall);
    heart_ = std::make_unique<Drain>(
        limits_, masker_, *checkpoint_, 1, [this] { return next_id(); }, now_);
    feed(Tick{});
  }

  void feed(Event event) {
    for (Order& order : heart_->step(std::move(event), now_)) orders_.push_back(std::move(order));
  }
  void pass(std::int64_t ms) {
    now_.steady_ms += ms;
    now_.wall_ms += ms;
    feed(Tick{});
  }

  /// Takes the orders of one kind that were given since the last look.
  template <typename Kind>
  std::vector<Kind> take() {
    std::vector<Kind> taken;
    std::vector<Order> left;
    for (Order& order : orders_) {
      if (auto* match = std::get_if<Kind>(&order)) {
        taken.push_back(std::move(*match));
      } else {
        left.push_back(std::move(order));
      }
    }
    orders_ = std::move(left);
    return taken;
  }

  /// Its `delivery`-th, from 1.
  Message message(int number, int delivery = 1) const {
    char id[40];
    std::snprintf(id, sizeof id, "00000000-0000-4000-8000-%012d", number);
    Message made;
    made.id = id;
    made.receipt = "r" + std::to_string(number) + "." + std::to_string(delivery);
    made.receive_count = static_cast<std::uint32_t>(delivery);
    made.body = "{\"v\":\"" + std::to_string(number) + "\"}";
    made.sent_ms = kWall - 1000;
    return made;
  }
  std::vector<Message> messages(int first, int count) const {
    std::vector<Message> made;
    for (int i = 0; i < count; ++i) made.push_back(message(first + i));
    return made;
  }

  /// Answers the first receive with these, and every other one with nothing.
  void deliver(std::vector<Message> given) {
    for (const ReceiveOrder& order : take<ReceiveOrder>()) {
      ASSERT_LE(given.size(), static_cast<std::size_t>(order.most));
      feed(Received{order.ticket, std::move(given), false});
      given.clear();
    }
  }
  /// All entries done.
  void answer(Ticket ticket, std::size_t entries) {
    feed(BatchAnswered{ticket, std::vector<EntryResult>(entries, {true, false, ""})});
  }
  void answer_load(LoadResult result) {
    const auto loads = take<LoadOrder>();
    ASSERT_EQ(loads.size(), 1U);
    last_load_ = loads[0].window->window;
    feed(LoadAnswered{loads[0].window->window.number, std::move(result)});
  }
  void load_all() {
    for (auto loads = take<LoadOrder>(); !loads.empty(); loads = take<LoadOrder>()) {
      last_load_ = loads[0].window->window;
      LoadCounts counts;
      counts.loaded = loads[0].window->messages.size();
      counts.rows = {counts.loaded};
      feed(LoadAnswered{loads[0].window->window.number, Loaded{counts, false}});
    }
  }
  std::vector<std::string> delete_all() {
    std::vector<std::string> handles;
    for (auto orders = take<RemoveOrder>(); !orders.empty(); orders = take<RemoveOrder>()) {
      for (const RemoveOrder& order : orders) {
        handles.insert(handles.end(), order.handles.begin(), order.handles.end());
        answer(order.ticket, order.handles.size());
      }
    }
    return handles;
  }
  void run_dry() {
    for (int i = 0; i < 50 && !heart_->ended(); ++i) {
      load_all();
      delete_all();
      for (const HideOrder& order : take<HideOrder>()) answer(order.ticket, order.handles.size());
      deliver({});
      for (const CountOrder& order : take<CountOrder>()) feed(Counted{order.ticket, {}});
      pass(2000);
    }
  }
  void expect_ended(StopReason reason) {
    EXPECT_TRUE(heart_->ended());
    EXPECT_EQ(heart_->stop_reason(), reason);
    EXPECT_TRUE(heart_->books().add_up());
  }
  WindowId next_id() {
    WindowId id{};
    id[0] = static_cast<std::uint8_t>(++ids_);
    return id;
  }
  static LoadResult temporary() {
    return LoadFailed{Failure(Fault::temporary, "postgres: away", "later"), true};
  }

  std::filesystem::path folder_;
  Limits limits_;
  Pipeline pipeline_;
  Keyring keyring_;
  Masker masker_;
  Now now_{1'000'000, kWall};
  int ids_ = 0;
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<Drain> heart_;
  std::vector<Order> orders_;
  Window last_load_;
};

}  // namespace sluice
