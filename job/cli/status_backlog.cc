// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "job/cli/status.h"
#include "job/cli/status_look.h"

namespace sluice {
namespace {

using boost::json::object;
using boost::json::value;

/// The newest that received something and told its end.
const value* run_with_a_pace(const value& status) {
  for (const value* run : runs_of_the_queue(status)) {
    if (count_at(*run, "/counts/received") > 0 && number_at(*run, "/duration_s") > 0) return run;
  }
  return nullptr;
}

/// The latest SentTimestamp that these runs are known to have loaded.
value watermark_of(const value& status) {
  std::string latest;
  for (const value* run : runs_of_the_queue(status)) {
    for (const char* place : {"/watermark", "/so_far/newest_sent_at"}) {
      latest = std::max(latest, text_at(*run, place));  // of one form: the later is the greater
    }
  }
  return latest.empty() ? value(nullptr) : value(latest);
}

}  // namespace

// GetQueueAttributes tells no age: what is known of it is what the runs saw.
object backlog_of(const value& status) {
  object backlog{{"loaded_up_to", watermark_of(status)},
                 {"oldest_message_age_s", nullptr},
                 {"seen_by_run", nullptr},
                 {"per_second", nullptr},
                 {"seconds_to_drain", nullptr}};
  const value* run = run_with_a_pace(status);
  if (run == nullptr) return backlog;
  backlog["oldest_message_age_s"] = look(*run, "/oldest_message_age_s");
  backlog["seen_by_run"] = look(*run, "/run_id");
  const double pace =
      static_cast<double>(count_at(*run, "/counts/received")) / number_at(*run, "/duration_s");
  backlog["per_second"] = pace;
  if (look(status, "/queue/visible").is_number()) {
    backlog["seconds_to_drain"] = number_at(status, "/queue/visible") / pace;
  }
  return backlog;
}

}  // namespace sluice
