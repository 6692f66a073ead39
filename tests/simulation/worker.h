// SPDX-License-Identifier: Apache-2.0
// One worker: a machine with a checkpoint, on which runs begin, end, and are killed. The heart, the
// checkpoint and the masker are the real ones.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "job/mask/masker.h"
#include "job/pipeline/drain.h"
#include "tests/simulation/database.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/queue.h"
#include "tests/simulation/timeline.h"

namespace sluice::simulation {

/// What the workers of a history share.
struct World {
  Timeline& timeline;
  Faults& faults;
  Oracle& oracle;
  SharedQueue& queue;
  Database& database;
  Masker& masker;
  const Limits& limits;
  int runs = 0;                                       // begun so far, by all of them
  std::uint64_t trace = 14'695'981'039'346'656'037U;  // FNV-1a over what happened, and when
  void note(std::uint64_t what);
};

class Worker {
 public:
  /// `folder` exists and is empty.
  Worker(World& world, std::string folder, std::uint64_t seed);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  bool runs() const { return heart_ != nullptr; }
  /// Begins a run; it may end at once.
  void start();
  /// kill -9.
  void kill();
  /// SIGTERM.
  void stop();
  /// What befalls the file between two runs.
  void lose_checkpoint();
  void damage_checkpoint();
  void put_older_checkpoint_back();
  void jump_clock();
  void fill_disk(bool full) { Disk::installed().fill(folder_, full); }
  /// Nothing that a run should finish is in the checkpoint. Only when none runs.
  bool is_done();
  /// Why the last run that ended by itself failed; empty when it did not.
  const std::string& last_failure() const { return last_failure_; }

 private:
  Now now() const;
  void step(Event event);
  void carry_out(Order& order);
  Reply reply();
  void tick_at(std::int64_t steady_ms);
  void finish();
  void die(bool with_the_power);
  void keep_a_copy();
  void expect_no_clear_text() const;
  std::string file() const { return folder_ + "/c.db"; }

  World& world_;
  std::string folder_;
  SeededRandom random_;
  std::int64_t wall_offset_ms_ = 0;
  std::int64_t steady_offset_ms_ = 0;
  int run_ = 0;    // number of the current run
  int life_ = 0;   // answers to an earlier one find nobody
  Limits limits_;  // of the current run
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<Database::Session> session_;
  std::unique_ptr<Drain> heart_;
  std::int64_t next_tick_ms_ = 0;
  std::int64_t stop_asked_ms_ = -1;
  int idle_ticks_ = 0;  // in a row, and nothing came of them
  std::string last_failure_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace sluice::simulation
