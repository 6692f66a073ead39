// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/postgres_warehouse.h"

#include <utility>

namespace sluice {

PostgresWarehouse::PostgresWarehouse(std::string conninfo, const Pipeline& pipeline,
                                     std::string run_id, Sealer seal, Forwarding forwarding,
                                     LoadLimits limits)
    : conninfo_(std::move(conninfo)),
      pipeline_(pipeline),
      run_id_(std::move(run_id)),
      seal_(std::move(seal)),
      forwarding_(std::move(forwarding)),
      limits_(limits) {}

LoadResult PostgresWarehouse::load(const SealedWindow& window, bool only_if_committed) try {
  if (!connection_) connection_.emplace(conninfo_, interrupt_);
  return load_window(*connection_, {pipeline_, run_id_, seal_, limits_, hints_}, window,
                     only_if_committed);
} catch (const Failure& failure) {
  connection_.reset();  // whatever state it is in, its transaction ends with it
  return LoadFailed{failure, failure.fault() == Fault::temporary};
}

template <typename Work>
ForwardResult PostgresWarehouse::try_forwarding(Work work) try {
  if (pipeline_.rejections != Rejections::dead_letter_queue) return Forwarded{};
  if (!connection_) connection_.emplace(conninfo_, interrupt_);
  return work(Forwarder{*connection_, pipeline_.name, forwarding_, limits_});
} catch (const Failure& failure) {
  connection_.reset();
  return ForwardFailed{failure, failure.fault() == Fault::temporary};
}

ForwardResult PostgresWarehouse::forward(const SealedWindow& window) {
  return try_forwarding([&](const Forwarder& by) { return forward_window(by, window); });
}

ForwardResult PostgresWarehouse::forward_stale() {
  return try_forwarding([](const Forwarder& by) { return sluice::forward_stale(by); });
}

void PostgresWarehouse::interrupt() {
  interrupt_.raise();
  if (forwarding_.letters != nullptr) forwarding_.letters->interrupt();
}

}  // namespace sluice
