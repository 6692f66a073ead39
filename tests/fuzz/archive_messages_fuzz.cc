// SPDX-License-Identifier: Apache-2.0
// Records of an archive as messages. First line: the format, "sqs", "body" or the name of the field
// that says when a body was sent; then the record.
#include "job/archive/archive_messages.h"
#include "job/archive/records.h"
#include "job/queue/sqs_message.h"
#include "job/queue/sqs_wire.h"
#include "job/record/uuid.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/same_message.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

void check_message(const Message& message, std::string_view record) {
  must_hold(!message.id.empty() && message.receipt.empty(), "a message has an id, and no receipt");
  must_hold(message.sent_ms >= 0 && message.sent_ms < kEndOfDaysMs, "and a day of the ledger");
  if (!message.unusable) return;
  must_hold(message.body == record.substr(0, message.body.size()), "what is unusable is kept");
  must_hold(message.sent_ms == 0, "and has no time");
  must_hold(!message.unusable->detail.empty() && !repeats(message.unusable->detail, record),
            "what is wrong is told, and nothing of it");
}

void check_ids(const ArchiveFormat& format, std::string_view record) {
  static Occurrences occurrences("/nowhere");
  static const Secret key(std::string(32, 'k'));
  Pipeline pipeline;
  pipeline.name = "p";
  ArchiveMessages messages(format, pipeline, key, occurrences);
  messages.begin_file();
  const Message first = messages.make(record);
  const Message second = messages.make(record);
  check_message(first, record);
  const bool counted = !format.sqs_envelope || first.unusable;
  must_hold((first.id != second.id) == counted, "equal bodies are two messages");
  must_hold(!counted || (parse_uuid(first.id) && first.id[14] == '8'), "with ids of our own");
  messages.begin_file();
  messages.pass(record);
  must_hold(messages.make(record).id == second.id, "the second is so as well when one is passed");
}

/// The same text as the one message of an answer.
void check_as_answer(std::string_view record) {
  const auto kept = parse_kept_message(record);
  const auto answer = parse_received("{\"Messages\":[" + std::string(record) + "]}");
  if (!answer || answer->messages.size() != 1) return;
  Message received = answer->messages[0];
  if (const auto* const none = std::get_if<NoMessage>(&kept)) {
    must_hold(none->rejection.reason == Reason::missing_field && received.body.empty(),
              "what comes is a message when it is kept, if it has a body");
    return;
  }
  received.receipt.clear();
  const auto& message = std::get<Message>(kept);
  must_hold(same(message, received) && message.bad_encoding == received.bad_encoding,
            "and the same one");
}

}  // namespace

void archive_messages(std::string_view input) {
  const std::string name(take_line(input));
  ArchiveFormat format;
  format.sqs_envelope = name == "sqs";
  if (name != "sqs" && name != "body") format.sent_at_from = name;
  unless_refused([&] { return check_ids(format, input), true; }, Fault::usage);
  check_as_answer(input);
}

}  // namespace sluice::fuzz
