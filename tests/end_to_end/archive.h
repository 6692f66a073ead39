// SPDX-License-Identifier: Apache-2.0
// Archives for `sluice backfill`, and what these tests ask of it.
#pragma once

#include <string>
#include <vector>

#include "tests/end_to_end/scene.h"

namespace sluice {

inline constexpr const char* kSentAt = "2026-03-01T12:00:00Z";

/// Lines of login bodies, of users `first` to `first` + `count` - 1.
inline std::string lines_of(int first, int count) {
  std::string lines;
  for (int i = first; i < first + count; ++i) {
    lines += login_body("user-" + std::to_string(i)) + "\n";
  }
  return lines;
}

class Archive : public testing::Test {
 protected:
  /// Writes a file into the folder; it holds clear values, and is the user's.
  std::string put(const std::string& name, const std::string& content) {
    world.leave_out(name);
    write_text(world.folder() + "/" + name, content);
    return world.folder() + "/" + name;
  }
  std::vector<std::string> words(const std::vector<std::string>& files,
                                 const std::vector<std::string>& more = {"--sent-at", kSentAt}) {
    std::vector<std::string> all = {"backfill", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    all.emplace_back("--input");
    all.insert(all.end(), files.begin(), files.end());
    return all;
  }
  Outcome backfill(const std::vector<std::string>& files,
                   const std::vector<std::string>& more = {"--sent-at", kSentAt}) {
    Outcome outcome = world.call(words(files, more));
    if (outcome.status == 0) expect_books_add_up(outcome.summary());
    return outcome;
  }
  std::string rows() { return world.database().value("SELECT count(*) FROM public.user_logins"); }
  std::string users() {
    return world.database().value("SELECT count(DISTINCT user_id) FROM public.user_logins");
  }
  std::string cursor() const { return world.checkpoint() + ".cursor"; }

  LoginWorld world;
};

}  // namespace sluice
