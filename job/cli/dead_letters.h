// SPDX-License-Identifier: Apache-2.0
// The dead-letter queue as the warehouse sees it: a letter is a message whose attributes say why.
#pragma once

#include <string>
#include <vector>

#include "job/queue/sqs_sender.h"
#include "job/warehouse/dead_letters.h"

namespace sluice {

class SqsDeadLetters : public DeadLetters {
 public:
  /// `pipeline` is its name. The sender must live as long; `fifo`: its queue is one.
  SqsDeadLetters(SqsSender& sender, bool fifo, std::string pipeline)
      : sender_(sender), fifo_(fifo), pipeline_(std::move(pipeline)) {}

  std::vector<bool> send(const std::vector<DeadLetter>& letters) override;
  void interrupt() override { sender_.interrupt(); }

 private:
  SqsSender& sender_;
  bool fifo_;
  std::string pipeline_;
};

}  // namespace sluice
