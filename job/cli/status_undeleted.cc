// SPDX-License-Identifier: Apache-2.0
#include "job/base/clock.h"
#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/base/text.h"
#include "job/cli/command.h"
#include "job/cli/status.h"

namespace sluice {
namespace {

constexpr std::size_t kPrintBytes = 64 << 10;

void require_known(const std::string& path, const CheckpointGlance& glance) {
  if (glance.locked) {
    throw Failure(Fault::locked, "checkpoint " + path + ": in use by " + glance.holder,
                  "ask again when that has ended: until then it deletes");
  }
  if (!glance.trouble.empty()) {
    throw Failure(Fault::temporary, glance.trouble,
                  "run again: what is left comes again, and the ledger knows it");
  }
}

std::string sentence(const std::string& path, const CheckpointGlance& glance) {
  if (!glance.exists) return "no checkpoint " + path + ": nothing is kept there to be deleted\n";
  return "nothing is left to delete: the queue answered every delete of the " +
         grouped(static_cast<std::int64_t>(glance.closed)) + " closed windows in " + path + " (" +
         grouped(static_cast<std::int64_t>(glance.closed_messages)) + " messages)\n";
}

/// In pieces: there may be 120,000 of them.
template <typename Line>
void print_each(const CheckpointGlance& glance, Line line) {
  std::string out;
  for (const MessageKey& key : glance.undeleted) {
    out += line(uuid_text(key.id), rfc3339(key.sent_ms), &key == &glance.undeleted.front());
    if (out.size() < kPrintBytes) continue;
    print(out);
    out.clear();
  }
  print(out);
}

}  // namespace

int print_undeleted(const std::string& path, const CheckpointGlance& glance, bool json) {
  require_known(path, glance);
  if (json) {
    print(R"({"undeleted":[)");
    print_each(glance, [](const std::string& id, const std::string& sent, bool first) {
      return (first ? "" : ",") + std::string(R"({"message_id":")") + id + R"(","sent_at":")" +
             sent + R"("})";
    });
    std::string rest = boost::json::serialize(boost::json::object{
        {"checkpoint", path},
        {"exists", glance.exists},
        {"queue", glance.owner.queue},
        {"closed", {{"windows", glance.closed}, {"messages", glance.closed_messages}}}});
    rest.front() = ',';
    print("]" + rest + "\n");
  } else if (glance.undeleted.empty()) {
    print(sentence(path, glance));
  } else {
    print_each(glance, [](const std::string& id, const std::string& sent, bool) {
      return id + " " + sent + "\n";
    });
  }
  return kExitOk;
}

}  // namespace sluice
