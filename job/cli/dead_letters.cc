// SPDX-License-Identifier: Apache-2.0
#include "job/cli/dead_letters.h"

#include "job/base/clock.h"

namespace sluice {

std::vector<bool> SqsDeadLetters::send(const std::vector<DeadLetter>& letters) {
  std::vector<OutgoingMessage> messages;
  for (const DeadLetter& letter : letters) {
    OutgoingMessage& message = messages.emplace_back();
    message.body = letter.body;
    const std::pair<const char*, std::string> attributes[] = {
        {"sluice-reason", letter.reason},
        {"sluice-field", letter.field},
        {"sluice-detail", letter.detail},
        {"sluice-sqlstate", letter.sqlstate},
        {"sluice-pipeline", pipeline_},
        {"sluice-message-id", letter.message_id},
        {"sluice-sent-at", rfc3339(letter.sent_ms)}};
    for (const auto& [name, value] : attributes) {
      if (!value.empty()) message.attributes.emplace_back(name, value);
    }
    if (!fifo_) continue;
    // Letters do not wait for each other, and one that is sent again within five minutes is taken
    // once.
    message.group = letter.message_id;
    message.deduplication = letter.message_id;
  }
  return sender_.send(std::move(messages));
}

}  // namespace sluice
