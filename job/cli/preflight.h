// SPDX-License-Identifier: Apache-2.0
// What must be right before the first message is received (promise G10). `run` stops at the first
// fault; `check` goes on and shows all of them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "job/base/clock.h"
#include "job/base/finding.h"
#include "job/cli/setup.h"
#include "job/mask/keyring.h"
#include "job/mask/masker.h"
#include "job/queue/sqs_sender.h"
#include "job/warehouse/connection.h"

namespace sluice {

/// What the checks have made on their way; a part is empty when its check failed.
struct Prepared {
  std::optional<Pipeline> pipeline;
  std::string worker;
  std::string checkpoint_path;
  std::optional<Keyring> keyring;
  std::unique_ptr<Masker> masker;
  QueueAccess access;
  std::optional<QueueFacts> facts;
  std::optional<QueueCounts> counts;
  std::unique_ptr<SqsSender> dead_letter_queue;  // where the pipeline forwards rejections
  bool dead_letter_queue_is_fifo = false;
  std::unique_ptr<Interrupt> interrupt = std::make_unique<Interrupt>();
  std::unique_ptr<Connection> connection;
  std::string database;  // identity of its sluice schema
};

class Preflight {
 public:
  /// `told` hears each finding as it is made. With `stop_at_fault`, a fault is thrown as a Failure;
  /// else it is told, and what depends on it is left out.
  Preflight(const Settings& settings, const Environment& environment, bool stop_at_fault,
            std::function<void(const Finding&)> told);

  /// In order: pipeline file, keyring, checkpoint's place, credentials and queue, Postgres and
  /// tables. Without a queue the run reads archives: its checkpoint is another one by default, and
  /// its rejections stay in their table.
  void run(bool with_queue = true);
  /// Only the pipeline file, so that a failed run can say of which pipeline it was.
  void read_pipeline();

  Prepared& prepared() { return prepared_; }

 private:
  void step(const std::string& thing, const std::function<std::string()>& look);
  void tell(const Finding& finding);
  void check_queue();
  void check_receive_count();
  void check_rejections();
  std::string prepare_dead_letter_queue();
  void check_postgres();

  const Settings& settings_;
  const Environment& environment_;
  bool stop_at_fault_;
  std::function<void(const Finding&)> told_;
  Prepared prepared_;
};

/// Horizon of the ledger, in days.
int dedup_days(const Settings& settings);

}  // namespace sluice
