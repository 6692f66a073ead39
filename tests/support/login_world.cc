// SPDX-License-Identifier: Apache-2.0
#include "tests/support/login_world.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "job/base/failure.h"
#include "job/mask/keyring.h"

namespace sluice {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::uintmax_t kPlenty = std::uintmax_t{1} << 30;  // a container has 64 MiB unless told

std::string new_folder_in(const std::filesystem::path& place) {
  std::string name = (place / "sluice-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

std::string content_of(const std::filesystem::path& path, std::uintmax_t from = 0) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(from));
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What the keys are used for, under the login pipeline.
constexpr std::array kPurposes = {"sluice/mask/v1/ip", "sluice/mask/v1/device_id",
                                  "sluice/seal/v1"};

void add_keys(CanarySearch& search, const Keyring& keyring) {
  for (const Keyring::Key& key : keyring.keys()) {
    search.add("a key of the keyring", key.secret.reveal());
    for (const char* purpose : kPurposes) {
      search.add(std::string("the key for ") + purpose, derive_key(key, purpose, 32).reveal());
    }
  }
}

}  // namespace

std::string new_folder() { return new_folder_in(std::filesystem::temp_directory_path()); }

std::string new_folder_in_memory() {
  const std::filesystem::path memory = "/dev/shm";
  std::error_code absent;
  const std::filesystem::space_info space = std::filesystem::space(memory, absent);
  return absent || space.available < kPlenty ? new_folder() : new_folder_in(memory);
}

LoginWorld::LoginWorld(bool migrated, const TestCluster& cluster, std::string folder)
    : folder_(std::move(folder)),
      database_(cluster),
      server_log_(cluster.value("SLUICE_POSTGRES_DATA") + "/../server.log"),
      log_began_at_(std::filesystem::file_size(server_log_)) {
  // Whatever the program sends could be read there, too.
  database_.run("ALTER DATABASE " + database_.name() + " SET log_statement = 'all'");
  database_.run("ALTER DATABASE " + database_.name() + " SET log_min_messages = 'debug1'");
  aws_.sqs().add_queue({.name = queue_});
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
                     {"SLUICE_LOG_LEVEL", "debug"},
                     {"TMPDIR", folder_},
                     {"SLUICE_WAIT_SECONDS", "1"}});
  if (call({"keygen"}).status != 0) throw std::runtime_error("keygen failed");
  if (!migrated) return;
  const Outcome outcome = call({"migrate", "--with-tables"});
  if (outcome.status != 0) throw std::runtime_error("migrate failed: " + outcome.err);
}

LoginWorld::~LoginWorld() {
  try {
    expect_nothing_in_clear();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "cannot look for clear values: " << error.what();
  }
  std::filesystem::remove_all(folder_);
}

void LoginWorld::send(int count) {
  for (int i = 0; i < count; ++i) send_login(login_message(kSeed, next_++));
}

void LoginWorld::send_only(int count, bool good) {
  while (count > 0) {
    const LoginMessage login = login_message(kSeed, next_++);
    if (login.flaw.empty() != good) continue;
    send_login(login);
    --count;
  }
}

void LoginWorld::send_login(const LoginMessage& login) {
  login.flaw.empty() ? ++good_ : ++bad_[std::string(login.flaw)];
  bodies_.push_back(login.body);
  send_body(login.body);
}

void LoginWorld::use_queue(const QueueRules& rules) {
  queue_ = rules.name;
  variables_["SLUICE_QUEUE_URL"] = aws_.sqs().add_queue(rules);
}

void LoginWorld::send_body(const std::string& body) {
  NewMessage message{.body = body};
  if (queue_.ends_with(".fifo")) {
    constexpr std::uint64_t kGroups = 3;
    message.group = "group-" + std::to_string(next_ % kGroups);
    message.deduplication = std::to_string(next_);
  }
  aws_.sqs().with_queue(queue_, [&](SandboxQueue& queue, Now now) { queue.send(message, now); });
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

QueueTally LoginWorld::tally() {
  QueueTally tally;
  aws_.sqs().with_queue(queue_, [&](SandboxQueue& queue, Now now) { tally = queue.tally(now); });
  return tally;
}

void LoginWorld::answer_empty_polls_at_once() {
  const auto nothing_to_give = [this](const boost::json::object&) { return tally().visible == 0; };
  aws_.faults().add({.on = "ReceiveMessage", .when = nothing_to_give, .fault = {.empty = true}});
}

void LoginWorld::let_leases_lapse() {
  aws_.sqs().with_queue(queue_, [](SandboxQueue& queue, Now) { queue.show_all(); });
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

void LoginWorld::expect_nothing_in_clear() {
  const CanarySearch search = search_for_all();
  look_at_files(search);
  look_at_database(search);
  EXPECT_EQ(search.found_in(content_of(server_log_, log_began_at_)), "") << server_log_;
}

CanarySearch LoginWorld::search_for_all() const {
  CanarySearch search;
  search.add("AWS's secret key", SandboxCredentials().secret_key);
  for (const char* name :
       {"PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "OPENLINEAGE_API_KEY"}) {
    const auto secret = variables_.find(name);
    if (secret != variables_.end() && secret->second.size() > 8) search.add(name, secret->second);
  }
  try {
    add_keys(search, Keyring::read(keyring()));
  } catch (const Failure&) {  // a test has spoiled or removed it
  }
  return search;
}

void LoginWorld::look_at_files(const CanarySearch& search) const {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    const std::string name = std::filesystem::relative(entry.path(), folder_).string();
    EXPECT_FALSE(entry.path().filename().string().starts_with("core")) << name;
    if (!entry.is_regular_file() || left_out_.contains(name)) continue;
    EXPECT_EQ(search.found_in(content_of(entry.path())), "") << name;
  }
}

void LoginWorld::look_at_database(const CanarySearch& search) {
  TestSession session = database_.session();
  session.run("SET lock_timeout = '5s'");
  const std::string all = session.value(
      "SELECT coalesce(string_agg(format('SELECT %L, t::text FROM %s t', oid::regclass, "
      "oid::regclass), ' UNION ALL '), '') FROM pg_class WHERE relkind IN ('r', 'p', 'm') AND NOT "
      "relispartition AND relnamespace::regnamespace::text NOT IN ('pg_catalog', "
      "'information_schema')");
  if (all.empty()) return;
  std::string content;
  for (const Row& row : session.rows(all)) content += row[0] + " " + row[1] + "\n";
  EXPECT_EQ(search.found_in(content), "") << "in the database";
}

}  // namespace sluice
