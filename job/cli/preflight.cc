// SPDX-License-Identifier: Apache-2.0
#include "job/cli/preflight.h"

#include "job/base/text.h"
#include "job/config/column_type.h"
#include "job/config/pipeline_file.h"
#include "job/warehouse/schema.h"
#include "job/warehouse/table_check.h"

namespace sluice {
namespace {

// Below this, a few crashed runs are enough to send good messages to the dead-letter queue.
constexpr int kSafeReceiveCount = 5;
constexpr std::int64_t kConnectLimitMs = 10'000;

}  // namespace

int dedup_days(const Settings& settings) { return static_cast<int>(settings.count("dedup-days")); }

Preflight::Preflight(const Settings& settings, const Environment& environment, bool stop_at_fault,
                     std::function<void(const Finding&)> told)
    : settings_(settings),
      environment_(environment),
      stop_at_fault_(stop_at_fault),
      told_(std::move(told)) {}

void Preflight::tell(const Finding& finding) {
  if (!finding.ok && stop_at_fault_) throw to_failure(finding);
  told_(finding);
}

void Preflight::step(const std::string& thing, const std::function<std::string()>& look) {
  Finding finding;
  finding.thing = thing;
  try {
    finding.text = look();
  } catch (const Failure& failure) {
    if (stop_at_fault_) throw;
    finding.ok = false;
    finding.fault = failure.fault();
    finding.text = failure.message();
    finding.hint = failure.hint();
  }
  told_(finding);
}

void Preflight::read_pipeline() {
  if (!settings_.has("pipeline")) pipeline_of(settings_);  // a usage error: there is no run
  step("pipeline file", [this] {
    prepared_.pipeline = pipeline_of(settings_);
    return settings_.text("pipeline") + ": " + prepared_.pipeline->name;
  });
}

void Preflight::run(bool with_queue) {
  if (!prepared_.pipeline) read_pipeline();
  if (!with_queue && prepared_.pipeline) prepared_.pipeline->rejections = Rejections::table;
  step("keyring", [this] {
    prepared_.keyring = Keyring::read(settings_.text("keyring"));
    if (prepared_.pipeline) {
      prepared_.masker = std::make_unique<Masker>(*prepared_.pipeline, *prepared_.keyring);
    }
    return settings_.text("keyring") + ": current key " + prepared_.keyring->current().id;
  });
  // A run goes on with the key that its masks were made with, and says nothing.
  if (!stop_at_fault_ && prepared_.keyring && !prepared_.keyring->weakness().empty()) {
    tell({true, Fault::configuration, "warning",
          "key " + prepared_.keyring->current().id + ": " + prepared_.keyring->weakness(),
          "make another with `sluice keygen --rotate`; its masks do not join with this one's"});
  }
  if (!prepared_.pipeline) return;
  for (const std::string& warning : warnings_of(*prepared_.pipeline)) {
    tell({true, Fault::configuration, "warning", warning,
          "take hmac-sha256 unless old data must join"});
  }
  step("checkpoint", [this, with_queue] {
    prepared_.worker = worker_of(settings_);
    prepared_.checkpoint_path =
        checkpoint_path_of(settings_, environment_, prepared_.pipeline->name,
                           prepared_.worker + (with_queue ? "" : kBackfillSuffix));
    check_disk(prepared_.checkpoint_path,
               static_cast<std::uint64_t>(settings_.bytes("window-bytes")));
    return prepared_.checkpoint_path;
  });
  if (with_queue) check_queue();
  check_postgres();
}

void Preflight::check_queue() {
  step("credentials", [this] {
    prepared_.access = queue_of(settings_, environment_, *prepared_.pipeline);
    const QueueAccess& access = prepared_.access;
    const std::vector<std::string_view> before(access.credentials_passed_over.begin(),
                                               access.credentials_passed_over.end());
    return "from " + access.credentials_origin +
           (before.empty() ? "" : " (not set up: " + listed(before) + ")") + "; region " +
           access.region + "; endpoint " + access.endpoint;
  });
  if (!prepared_.access.queue) return;
  SqsQueue& queue = *prepared_.access.queue;
  step("queue", [this, &queue] {
    queue.resolve();
    prepared_.facts = queue.facts();
    prepared_.counts = queue.counts();
    return queue.url() + ": " + std::to_string(prepared_.counts->visible) + " messages visible, " +
           std::to_string(prepared_.counts->in_flight) + " in flight";
  });
  if (!prepared_.facts) return;
  const std::int64_t retention_days = (prepared_.facts->retention_s + 86'399) / 86'400;
  step("queue rights", [&queue] {
    queue.probe_rights();
    return std::string("read, delete and extend");
  });
  step("dedup horizon", [this, retention_days] {
    if (dedup_days(settings_) <= retention_days) {
      throw Failure(Fault::configuration,
                    "dedup-days " + std::to_string(dedup_days(settings_)) +
                        ": the queue keeps messages " + std::to_string(retention_days) + " days",
                    "a message must not outlive its entry in the ledger: set --dedup-days " +
                        std::to_string(retention_days + 1) + " or more");
    }
    return std::to_string(dedup_days(settings_)) + " days";
  });
  check_receive_count();
  check_rejections();
}

void Preflight::check_receive_count() {
  const auto most = prepared_.facts->max_receive_count;
  if (!most || *most >= kSafeReceiveCount) return;
  tell({true, Fault::configuration, "warning",
        "the queue's maxReceiveCount is " + std::to_string(*most) +
            (*most == 1 ? ": a killed run sends what it had just received to the dead-letter queue"
                        : ": a few killed runs send good messages to the dead-letter queue"),
        "set it to " + std::to_string(kSafeReceiveCount) + " or more"});
}

void Preflight::check_rejections() {
  step("rejections", [this] {
    const Rejections place = prepared_.pipeline->rejections;
    const std::string& arn = prepared_.facts->dead_letter_arn;
    if (place == Rejections::table) return std::string("sealed in sluice.rejected_message");
    if (arn.empty()) {
      throw Failure(Fault::configuration,
                    "rejections \"" + std::string(word_of(place)) + "\": queue " +
                        prepared_.access.queue->url() + " has no redrive policy",
                    "give the queue a dead-letter queue, or run with --rejections table");
    }
    if (place == Rejections::leave) {
      return "left in the queue until its redrive policy moves them to " + arn;
    }
    return prepare_dead_letter_queue();
  });
  if (prepared_.pipeline->rejections == Rejections::leave && prepared_.facts->fifo) {
    tell({true, Fault::configuration, "warning",
          "on a FIFO queue a rejected message is left with all that stands behind it in its group",
          "take \"dead-letter-queue\" or \"table\" unless a group must stop at its first fault"});
  }
}

std::string Preflight::prepare_dead_letter_queue() {
  const std::string& arn = prepared_.facts->dead_letter_arn;
  const auto queue = parse_queue_arn(arn);
  if (!queue) {
    throw Failure(Fault::configuration,
                  "dead-letter queue " + printable(arn, 200) + ": not the ARN of a queue",
                  "correct the queue's redrive policy");
  }
  prepared_.dead_letter_queue_is_fifo = is_fifo(queue->name);
  prepared_.dead_letter_queue = std::make_unique<SqsSender>(prepared_.access.sqs, *queue);
  prepared_.dead_letter_queue->resolve();
  // A run does without: AWS counts the question as a request that failed.
  if (!stop_at_fault_) prepared_.dead_letter_queue->probe();
  return "sealed in sluice.rejected_message and forwarded to " + arn;
}

void Preflight::check_postgres() {
  step("postgres", [this] {
    prepared_.connection = std::make_unique<Connection>(settings_.text("postgres"),
                                                        *prepared_.interrupt, kConnectLimitMs);
    return std::string("connected");
  });
  if (!prepared_.connection) return;
  bool usable = true;
  for (const Finding& finding : check_schema(*prepared_.connection)) {
    usable = usable && finding.ok;
    tell(finding);
  }
  if (!usable) return;
  prepared_.database = read_identity(*prepared_.connection);
  for (const Table& table : prepared_.pipeline->tables) {
    for (const Finding& finding : check_table(*prepared_.connection, table)) tell(finding);
  }
}

}  // namespace sluice
