// SPDX-License-Identifier: Apache-2.0
// Bodies with what must become of them, sent between good messages.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/end_to_end/scene.h"

namespace sluice {

struct JudgedBody {
  std::string name;
  std::string body;
  std::string verdict;  // "REASON FIELD", or empty: it is a row
  std::vector<MessageAttribute> attributes = {};
};

/// Sends each between two good messages, runs, and expects each body's verdict once, every good
/// message as a row, and that neither a second run nor a second delivery changes anything.
/// `good` makes a good message of the user it is given.
class JudgedRun {
 public:
  explicit JudgedRun(LoginWorld& world) : world_(world) {}

  void expect_verdicts(const std::vector<JudgedBody>& bodies,
                       const std::function<std::string(const std::string&)>& good) {
    world_.answer_empty_polls_at_once();
    send_between(bodies, good);
    const auto rejected = static_cast<std::int64_t>(
        std::ranges::count_if(bodies, [](const JudgedBody& b) { return !b.verdict.empty(); }));
    const auto sent = static_cast<std::int64_t>(2 * bodies.size() + 1);
    const Outcome first = world_.run({"--empty-polls", "1"});
    ASSERT_EQ(first.status, 0) << first.err;
    EXPECT_EQ(first.count("received"), sent);
    EXPECT_EQ(first.count("rejected"), rejected);
    EXPECT_EQ(first.count("loaded"), sent - rejected);
    expect_books_add_up(first.summary());
    expect_stored(bodies);

    const Outcome second = world_.run({"--empty-polls", "1"});
    EXPECT_EQ(second.status, 0) << second.err;
    EXPECT_EQ(second.count("received"), 0);
    deliver_all_again(world_);
    const Outcome again = world_.run({"--empty-polls", "1"});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(again.count("duplicate"), sent);
    expect_stored(bodies);
  }

 private:
  void send_between(const std::vector<JudgedBody>& bodies,
                    const std::function<std::string(const std::string&)>& good) {
    world_.aws().sqs().with_queue(kLoginQueue, [&](SandboxQueue& queue, Now now) {
      for (std::size_t i = 0; i < bodies.size(); ++i) {
        queue.send({.body = good("good-" + std::to_string(i))}, now);
        const std::size_t number =
            queue.send({.body = bodies[i].body, .attributes = bodies[i].attributes}, now);
        ids_.push_back(queue.message(number).message.id);
      }
      queue.send({.body = good("good-last")}, now);
    });
  }

  void expect_stored(const std::vector<JudgedBody>& bodies) {
    std::map<std::string, std::string> verdicts;
    for (const Row& row :
         world_.database().rows("SELECT message_id, reason || ' ' || coalesce(field, '') FROM "
                                "sluice.rejected_message")) {
      EXPECT_TRUE(verdicts.emplace(row[0], row[1]).second) << "rejected twice";
    }
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      EXPECT_EQ(verdicts[ids_[i]], bodies[i].verdict) << bodies[i].name;
    }
    EXPECT_EQ(world_.database().value(
                  "SELECT count(*) FROM public.user_logins WHERE user_id LIKE 'good-%'"),
              std::to_string(bodies.size() + 1));
    EXPECT_EQ(world_.left_in_queue(), 0U);
  }

  LoginWorld& world_;
  std::vector<std::string> ids_;
};

}  // namespace sluice
