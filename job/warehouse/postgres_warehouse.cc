// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/postgres_warehouse.h"

#include <utility>

namespace sluice {

PostgresWarehouse::PostgresWarehouse(std::string conninfo, const Pipeline& pipeline,
                                     std::string run_id, Sealer seal, LoadLimits limits)
    : conninfo_(std::move(conninfo)),
      pipeline_(pipeline),
      run_id_(std::move(run_id)),
      seal_(std::move(seal)),
      limits_(limits) {}

LoadResult PostgresWarehouse::load(const SealedWindow& window, bool only_if_committed) try {
  if (!connection_) connection_.emplace(conninfo_, interrupt_);
  return load_window(*connection_, {pipeline_, run_id_, seal_, limits_}, window, only_if_committed);
} catch (const Failure& failure) {
  connection_.reset();  // whatever state it is in, its transaction ends with it
  return LoadFailed{failure, failure.fault() == Fault::temporary};
}

}  // namespace sluice
