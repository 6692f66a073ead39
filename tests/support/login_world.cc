// SPDX-License-Identifier: Apache-2.0
#include "tests/support/login_world.h"

#include <filesystem>
#include <stdexcept>

#include <gtest/gtest.h>
#include <unistd.h>

namespace sluice {
namespace {

constexpr const char* kQueue = "login-queue";
constexpr std::uint64_t kSeed = 7;

std::string new_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

}  // namespace

LoginWorld::LoginWorld(bool migrated, const TestCluster& cluster)
    : folder_(new_folder()), database_(cluster) {
  aws_.sqs().add_queue({.name = kQueue});
  const std::filesystem::path source =
      std::filesystem::path(SLUICE_SOURCE_DIR) / "pipelines" / "user_logins";
  for (const char* name : {"pipeline.json", "user_logins.sql"}) {
    std::filesystem::copy_file(source / name, std::filesystem::path(folder_) / name);
  }
  const SandboxCredentials keys;
  variables_ = database_.environment();
  variables_.insert({{"HOME", folder_},
                     {"AWS_ACCESS_KEY_ID", keys.access_key},
                     {"AWS_SECRET_ACCESS_KEY", keys.secret_key},
                     {"AWS_REGION", "us-east-1"},
                     {"AWS_EC2_METADATA_DISABLED", "true"},
                     {"AWS_ENDPOINT_URL_SQS", aws_.endpoint()},
                     {"SLUICE_PIPELINE", pipeline()},
                     {"SLUICE_KEYRING", keyring()},
                     {"SLUICE_CHECKPOINT", checkpoint()},
                     {"SLUICE_WORKER", "one"},
                     {"SLUICE_WAIT_SECONDS", "1"}});
  if (call({"keygen"}).status != 0) throw std::runtime_error("keygen failed");
  if (!migrated) return;
  const Outcome outcome = call({"migrate", "--with-tables"});
  if (outcome.status != 0) throw std::runtime_error("migrate failed: " + outcome.err);
}

LoginWorld::~LoginWorld() { std::filesystem::remove_all(folder_); }

void LoginWorld::send(int count) {
  for (int i = 0; i < count; ++i) {
    const LoginMessage login = login_message(kSeed, next_++);
    login.flaw.empty() ? ++good_ : ++bad_[std::string(login.flaw)];
    bodies_.push_back(login.body);
    send_body(login.body);
  }
}

void LoginWorld::send_body(const std::string& body) {
  aws_.sqs().with_queue(kQueue,
                        [&](SandboxQueue& queue, Now now) { queue.send({.body = body}, now); });
}

Outcome LoginWorld::call(const std::vector<std::string>& arguments) {
  return Program(folder_, arguments, variables_).wait();
}

std::unique_ptr<Program> LoginWorld::start_run(const std::vector<std::string>& arguments,
                                               const std::vector<std::string>& before) {
  std::vector<std::string> words = {"run", "--json"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return std::make_unique<Program>(folder_, words, variables_, before);
}

Outcome LoginWorld::run(const std::vector<std::string>& arguments) {
  return start_run(arguments)->wait();
}

std::size_t LoginWorld::left_in_queue() {
  std::size_t left = 0;
  aws_.sqs().with_queue(kQueue,
                        [&](SandboxQueue& queue, Now now) { left = queue.tally(now).left(); });
  return left;
}

void LoginWorld::answer_empty_polls_at_once() {
  const auto nothing_to_give = [this](const boost::json::object&) {
    std::size_t visible = 0;
    aws_.sqs().with_queue(
        kQueue, [&](SandboxQueue& queue, Now now) { visible = queue.tally(now).visible; });
    return visible == 0;
  };
  aws_.faults().add({.on = "ReceiveMessage", .when = nothing_to_give, .fault = {.empty = true}});
}

void LoginWorld::let_leases_lapse() {
  aws_.sqs().with_queue(kQueue, [](SandboxQueue& queue, Now) { queue.show_all(); });
}

void LoginWorld::run_until_empty() {
  constexpr int kMost = 5;
  for (int i = 0; i < kMost; ++i) {
    let_leases_lapse();
    const Outcome outcome = run();
    if (outcome.status == 0 && left_in_queue() == 0) return;
    if (i + 1 == kMost)
      ADD_FAILURE() << "not empty after five runs\n" << outcome.out << outcome.err;
  }
}

void LoginWorld::expect_everything_once() {
  EXPECT_EQ(database_.value("SELECT count(*) FROM public.user_logins"), std::to_string(good_));
  EXPECT_EQ(database_.value("SELECT count(DISTINCT user_id) FROM public.user_logins"),
            std::to_string(good_));
  std::map<std::string, std::uint64_t> rejected;
  for (const Row& row :
       database_.rows("SELECT reason, count(*) FROM sluice.rejected_message GROUP BY reason")) {
    rejected[row[0]] = std::stoull(row[1]);
  }
  EXPECT_EQ(rejected, bad_);
  EXPECT_EQ(database_.value("SELECT coalesce(sum(loaded), 0) FROM sluice.loaded_window"),
            std::to_string(good_));
  EXPECT_EQ(left_in_queue(), 0U);
  EXPECT_EQ(aws_.problems(), std::vector<std::string>{});
}

}  // namespace sluice
