// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "job/archive/archive_file.h"
#include "job/archive/records.h"
#include "job/base/clock.h"
#include "job/base/failure.h"
#include "job/base/log.h"
#include "job/cli/command.h"
#include "job/cli/setup.h"
#include "job/config/pipeline_file.h"
#include "job/mask/masker.h"
#include "job/record/shown_row.h"

namespace sluice {
namespace {

constexpr std::size_t kBatchMessages = 1000;
constexpr std::size_t kBatchBytes = 4 << 20;
constexpr int kHiddenForS = 30;
constexpr int kReceiveBatch = 10;

/// Shows what the masker makes, from the very bytes that a run would stage.
class Shower {
 public:
  Shower(const Pipeline& pipeline, const Keyring& keyring)
      : pipeline_(pipeline), masker_(pipeline, keyring) {}

  void take(const Message& message) {
    masker_.stage(message, batch_);
    if (batch_.messages() >= kBatchMessages || batch_.bytes().size() >= kBatchBytes) flush();
  }

  void flush() {
    std::vector<StagedMessage> messages;
    require(unpack(batch_.bytes(), messages), "what was staged cannot be read back");
    std::string out;
    for (const StagedMessage& message : messages) {
      if (message.rejected) out += rejected(message.rejection);
      for (const StagedRow& row : message.rows) {
        const Table& table = pipeline_.tables[row.table];
        out += "{\"table\":" + boost::json::serialize(table.text()) +
               ",\"row\":" + shown_row(table, row.tuple) + "}\n";
      }
    }
    print(out);
    batch_.clear();
  }

 private:
  static std::string rejected(const StagedRejection& rejection) {
    const auto shown = [](std::string_view text) -> boost::json::value {
      return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
    };
    return boost::json::serialize(boost::json::object{{"rejected",
                                                       {{"reason", rejection.reason},
                                                        {"field", shown(rejection.field)},
                                                        {"detail", shown(rejection.detail)}}}}) +
           "\n";
  }

  const Pipeline& pipeline_;
  Masker masker_;
  StagedBatch batch_;
};

Message sample(std::string_view body) {
  Message message;
  message.id = "00000000-0000-4000-8000-000000000000";
  message.body = body;
  message.sent_ms = now().wall_ms;
  return message;
}

void show_file(const std::string& path, Shower& shower) {
  ArchiveFile file(path);
  Records records(file);
  while (const auto record = records.next()) shower.take(sample(*record));
  shower.flush();
}

/// Receives, shows, gives back. Every message's receive count rises by one.
void show_queue(SqsQueue& queue, int wanted, Shower& shower) {
  queue.resolve();
  if (queue.facts().max_receive_count == 1) {
    throw Failure(Fault::configuration,
                  "queue " + queue.url() +
                      ": its maxReceiveCount is 1, so that a message that was "
                      "looked at goes to the dead-letter queue",
                  "take a sample in a file and --input, or raise maxReceiveCount");
  }
  log().write(Level::warning, "preview",
              "looking at live messages raises their receive count; they are given back at once");
  Ticket ticket = 0;
  std::vector<std::string> handles;
  std::vector<QueueAnswer> answers;
  const auto answer = [&queue, &answers] {
    answers.clear();
    while (answers.empty()) queue.wait(1000, answers);
    if (auto* failed = std::get_if<CallFailed>(&answers.front())) throw failed->failure;
  };
  while (static_cast<int>(handles.size()) < wanted) {
    queue.receive(++ticket, std::min(kReceiveBatch, wanted - static_cast<int>(handles.size())), 1,
                  kHiddenForS);
    answer();
    const auto& received = std::get<Received>(answers.front());
    if (received.messages.empty()) break;
    for (const Message& message : received.messages) {
      handles.push_back(message.receipt);
      shower.take(message);
    }
  }
  shower.flush();
  if (handles.empty()) return;
  queue.hide(++ticket, handles, 0);
  answer();
}

}  // namespace

int preview_command(const Settings& settings, const Environment& environment) {
  const bool live = settings.has("from-queue");
  if (live == settings.has("input")) {
    throw Failure(Fault::usage, "preview needs one of --input and --from-queue",
                  "sluice preview --pipeline FILE --input sample.jsonl");
  }
  const Pipeline pipeline = pipeline_of(settings);
  for (const std::string& warning : warnings_of(pipeline))
    log().write(Level::warning, "guessable-mask", warning);
  const Keyring keyring = Keyring::read(settings.text("keyring"));
  Shower shower(pipeline, keyring);
  if (live) {
    const QueueAccess access = queue_of(settings, environment, pipeline);
    show_queue(*access.queue, static_cast<int>(settings.count("from-queue")), shower);
  } else {
    for (const std::string& path : settings.paths("input")) show_file(path, shower);
  }
  return kExitOk;
}

}  // namespace sluice
