// SPDX-License-Identifier: Apache-2.0
// SQS's operations: a checked request in, the answer out, both JSON, the answer as text. Knows
// queues, time and waiting; no sockets.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <boost/json/object.hpp>

#include "tests/support/sandbox_faults.h"
#include "tests/support/sandbox_queue.h"

namespace sluice {

/// From any thread. Calls that SQS would refuse throw SandboxRefusal.
class SandboxSqs {
 public:
  SandboxSqs(std::string region, std::uint64_t seed);

  /// Its URL.
  std::string add_queue(QueueRules rules);
  /// `use` runs alone; who waits for a message looks again afterwards.
  void with_queue(const std::string& name, const std::function<void(SandboxQueue&, Now)>& use);

  /// The answer as it goes onto the wire.
  std::string serve(const std::string& operation, const boost::json::object& request,
                    const SandboxFault& fault);

  /// The time of the sandbox. Leases, delays and waits can be moved forward; its wall clock can be
  /// wrong.
  Now time() const;
  void advance(std::int64_t ms);
  void set_clock_offset(std::int64_t ms) { wall_offset_ms_ = ms; }
  /// Long polls end now, and later ones do not wait.
  void stop();

 private:
  using Json = boost::json::object;
  std::string url_of(const QueueRules& rules) const;
  std::string receive(const Json& request, const SandboxFault& fault);
  Json send(const Json& entry, SandboxQueue& queue);
  Json queue_url(const Json& request);
  Json queue_attributes(const Json& request);
  std::vector<Delivery> await(SandboxQueue& queue, const Json& request,
                              std::unique_lock<std::mutex>& lock);
  SandboxQueue& queue_at(const Json& request);

  std::string region_;
  SeededRandom random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::unique_ptr<SandboxQueue>> queues_;  // by name
  std::atomic<std::int64_t> advanced_ms_{0};
  std::atomic<std::int64_t> wall_offset_ms_{0};
  bool stopped_ = false;
};

}  // namespace sluice
