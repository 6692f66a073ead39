// SPDX-License-Identifier: Apache-2.0
// The queue behind the seam: AWS SQS.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "job/queue/queue.h"
#include "job/queue/sqs_client.h"

namespace sluice {

struct SqsSettings {
  SqsAccess access;
  std::string queue_url;   // or else:
  std::string queue_name;  // resolved by `resolve`
  std::string account;     // of a named queue; empty: the caller's own
  /// Message attributes that are asked for: each costs bytes in every message.
  std::vector<std::string> attribute_names;
};

/// Retries happen inside. What ends as CallFailed, or is thrown by the blocking calls, has had all
/// that it deserves.
class SqsQueue : public Queue {
 public:
  explicit SqsQueue(SqsSettings settings);

  // ---- before the first order; these block ----

  /// Learns the URL of a queue that is named; to be called first, and does nothing for one that has
  /// its URL.
  void resolve();
  QueueFacts facts();
  QueueCounts counts();
  /// Deletes and hides a message that does not exist. Failure{rights} names the right that is
  /// missing.
  void probe_rights();

  const std::string& url() const { return url_; }
  /// What our clock is behind that of SQS, if it is off by more than SQS bears; else 0.
  std::int64_t clock_offset_ms() const { return client_.clock_offset_ms(); }

  // ---- Queue ----

  void receive(Ticket ticket, int most, int wait_s, int visibility_s) override;
  void remove(Ticket ticket, const std::vector<std::string>& handles) override;
  void hide(Ticket ticket, const std::vector<std::string>& handles, int visibility_s) override;
  void count(Ticket ticket) override;
  void stop_receiving() override { client_.close(Operation::receive_message); }
  void wait(std::int64_t at_most_ms, std::vector<QueueAnswer>& answers) override;
  void wake() override { client_.wake(); }
  void abandon() override { client_.abandon(); }
  Requests requests() const override { return client_.requests(); }

 private:
  SqsOutcome call(SqsCall call);
  std::string answer_to(SqsCall call);
  void probe(SqsCall call);
  void give_back(const std::vector<std::string>& damaged_handles);
  QueueAnswer answer_of(const SqsOutcome& outcome);

  std::string url_;
  std::string name_;
  std::string account_;
  std::string endpoint_;
  std::vector<std::string> attribute_names_;
  SqsClient client_;
};

}  // namespace sluice
