// SPDX-License-Identifier: Apache-2.0
// What these tests do to a LoginWorld, and what they look for after a run.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/login_world.h"

namespace sluice {

inline constexpr const char* kLoginQueue = "login-queue";

inline std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_text(const std::string& path, const std::string& text) {
  if (!(std::ofstream(path, std::ios::binary) << text)) throw std::runtime_error("cannot write");
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("nowhere: " + from);
  return text.replace(at, from.size(), to);
}

inline void edit_pipeline(LoginWorld& world, const std::string& from, const std::string& to) {
  write_text(world.pipeline(), replaced(text_of(world.pipeline()), from, to));
}

/// A good message of the login shape, its masked values marked (tests/support/canary.h).
inline std::string login_body(const std::string& user, const std::string& device_type = "ios") {
  return R"({"user_id":")" + user + R"(","app_version":"1.2.3","device_type":")" + device_type +
         R"(","ip":"198.19.100.7","locale":"DE","device_id":"canary-11-2233"})";
}

inline QueueTally tally(LoginWorld& world) { return world.tally(); }

inline void deliver_all_again(LoginWorld& world) {
  world.aws().sqs().with_queue(kLoginQueue, [](SandboxQueue& queue, Now now) {
    const std::size_t sent = queue.tally(now).sent;
    for (std::size_t number = 0; number < sent; ++number) queue.deliver_again(number);
  });
}

/// That call of `operation`, counted from now, stops before it takes effect until it is opened.
inline std::shared_ptr<SandboxGate> gate_before(LoginWorld& world, const std::string& operation,
                                                int call = 1) {
  auto gate = std::make_shared<SandboxGate>();
  world.aws().faults().add({.on = operation, .calls = {call}, .fault = {.gate = gate}});
  return gate;
}

/// Until the program waits for a lock that the test has on a table.
inline void wait_until_load_is_held(LoginWorld& world) {
  world.database().wait_until(
      "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
      "application_name = 'sluice' AND wait_event_type = 'Lock')");
}

inline std::int64_t count_in(const boost::json::object& summary, const std::string& name) {
  return summary.at("counts").as_object().at(name).to_number<std::int64_t>();
}

/// Promise G8.
inline void expect_books_add_up(const boost::json::object& summary) {
  ASSERT_TRUE(summary.contains("counts")) << summary;
  const auto count = [&](const char* name) { return count_in(summary, name); };
  EXPECT_EQ(count("received") + count("carried_in"), count("loaded") + count("duplicate") +
                                                         count("rejected") + count("returned") +
                                                         count("carried_out"))
      << summary;
}

/// What was logged at level error, a line each.
inline std::vector<boost::json::object> errors_in(const std::string& log) {
  std::vector<boost::json::object> errors;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    boost::json::error_code error;
    const auto value = boost::json::parse(line, error);
    if (error || !value.is_object()) {
      ADD_FAILURE() << "no line of JSON: " << line;
    } else if (value.at("level") == "error") {
      errors.push_back(value.as_object());
    }
  }
  return errors;
}

}  // namespace sluice
