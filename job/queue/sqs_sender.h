// SPDX-License-Identifier: Apache-2.0
// Sends messages to one queue and waits until SQS has them.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job/queue/outgoing.h"
#include "job/queue/sqs_client.h"

namespace sluice {

/// "arn:aws:sqs:us-east-1:123456789012:name"
struct QueueArn {
  std::string region;
  std::string account;
  std::string name;
};
std::optional<QueueArn> parse_queue_arn(std::string_view arn);

/// Blocks, and is for one thread, which may be another than that of the queue it shares its access
/// with.
class SqsSender {
 public:
  /// A dead-letter queue is in the region and the account of its source queue.
  SqsSender(SqsAccess access, const QueueArn& queue);

  /// Learns the queue's URL, and so that it exists. `send` does so when it was not done.
  void resolve();
  /// Asks for the right to send, with a batch of nothing. Failure{rights} when it is missing.
  void probe();

  /// By position, whether the queue has the message. Entries that fail by SQS's fault are sent
  /// again a few times; order is kept in a FIFO queue as far as none fails. A body beside which its
  /// attributes do not fit goes without them. Throws the Failure of a call only when nothing at all
  /// was taken: what is known is never lost.
  std::vector<bool> send(std::vector<OutgoingMessage> messages);

  /// Ends a call that waits, soon: `send` answers what it knows, the others throw. Later ones do
  /// nothing. From any thread.
  void interrupt();

  Requests requests() const { return client_.requests(); }

 private:
  struct Round;

  SqsOutcome call(SqsCall call);
  void send_round(Round& round);
  void take(const SqsOutcome& outcome, Round& round);

  QueueArn queue_;
  std::string endpoint_;
  std::string url_;
  SqsClient client_;
  std::atomic<bool> interrupted_ = false;
};

}  // namespace sluice
