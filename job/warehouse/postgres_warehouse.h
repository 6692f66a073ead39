// SPDX-License-Identifier: Apache-2.0
// The warehouse that is Postgres.
#pragma once

#include <optional>
#include <string>

#include "job/warehouse/connection.h"
#include "job/warehouse/forward.h"
#include "job/warehouse/load.h"
#include "job/warehouse/warehouse.h"

namespace sluice {

class PostgresWarehouse : public Warehouse {
 public:
  /// `conninfo` empty means libpq's environment; `run_id` is a UUID as text. Connects at the first
  /// load, and again at the next one after a failure. `pipeline` must outlive it. `forwarding` is
  /// for a pipeline with a dead-letter queue only.
  PostgresWarehouse(std::string conninfo, const Pipeline& pipeline, std::string run_id, Sealer seal,
                    Forwarding forwarding = {}, LoadLimits limits = {});

  LoadResult load(const SealedWindow& window, bool only_if_committed) override;
  ForwardResult forward(const SealedWindow& window) override;
  /// What no worker seems to be about to forward: its checkpoint was lost. For the start of a run.
  ForwardResult forward_stale();
  void interrupt() override;

 private:
  template <typename Work>
  ForwardResult try_forwarding(Work work);

  std::string conninfo_;
  const Pipeline& pipeline_;
  std::string run_id_;
  Sealer seal_;
  Forwarding forwarding_;
  LoadLimits limits_;
  LoadHints hints_;
  Interrupt interrupt_;
  std::optional<Connection> connection_;
};

}  // namespace sluice
