// SPDX-License-Identifier: Apache-2.0
// The warehouse that is Postgres.
#pragma once

#include <optional>
#include <string>

#include "job/warehouse/connection.h"
#include "job/warehouse/load.h"
#include "job/warehouse/warehouse.h"

namespace sluice {

class PostgresWarehouse : public Warehouse {
 public:
  /// `conninfo` empty means libpq's environment; `run_id` is a UUID as text. Connects at the first
  /// load, and again at the next one after a failure. `pipeline` must outlive it.
  PostgresWarehouse(std::string conninfo, const Pipeline& pipeline, std::string run_id, Sealer seal,
                    LoadLimits limits = {});

  LoadResult load(const SealedWindow& window, bool only_if_committed) override;
  void interrupt() override { interrupt_.raise(); }

 private:
  std::string conninfo_;
  const Pipeline& pipeline_;
  std::string run_id_;
  Sealer seal_;
  LoadLimits limits_;
  Interrupt interrupt_;
  std::optional<Connection> connection_;
};

}  // namespace sluice
