// SPDX-License-Identifier: Apache-2.0
// No clear value and no secret is found where it must not be, whatever happened (promise G5).
#include <algorithm>
#include <functional>
#include <set>

#include <signal.h>
#include <sys/stat.h>

#include "job/base/encoding.h"
#include "job/mask/seal.h"
#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

// Such as no other byte of a test is by chance.
constexpr std::string_view kIp = "203.0.113.237";
constexpr std::string_view kDevice = "canary-7f3a-device-41c9";

std::string canary_body(const std::string& user, const std::string& device_type = "ios") {
  return R"({"user_id":")" + user + R"(","app_version":"1.2.3","device_type":")" + device_type +
         R"(","ip":")" + std::string(kIp) + R"(","locale":"DE","device_id":")" +
         std::string(kDevice) + "\"}";
}

/// The value as it is, in hex of both cases, and in base64 from each of the three offsets it can
/// have there.
std::vector<std::string> forms_of(std::string_view value) {
  std::vector<std::string> forms = {std::string(value), to_hex(value)};
  forms.push_back(forms.back());
  std::ranges::transform(forms.back(), forms.back().begin(),
                         [](unsigned char c) { return std::toupper(c); });
  for (std::size_t offset = 0; offset < 3; ++offset) {
    // The first and the last characters also hold bits of the neighbours.
    const std::string text = to_base64(std::string(offset, 'x') + std::string(value));
    const std::size_t first = offset == 0 ? 0 : 4;
    forms.push_back(text.substr(first, (text.size() - first) / 4 * 4 - 4));
  }
  return forms;
}

void expect_absent(const std::string& where, const std::string& content, std::string_view value) {
  for (const std::string& form : forms_of(value)) {
    EXPECT_EQ(content.find(form), std::string::npos) << where << " holds " << form;
  }
}

class Privacy : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, file] : {std::pair{"SLUICE_SUMMARY_FILE", "/summary.json"},
                                     std::pair{"SLUICE_METRICS_FILE", "/metrics.prom"}}) {
      world.variables()[name] = world.folder() + file;
    }
    world.variables()["SLUICE_LOG_LEVEL"] = "debug";
    world.variables()["SLUICE_EMPTY_POLLS"] = "1";
  }

  std::string dump() {
    const std::string path = world.folder() + "/../" + world.database().name() + ".dump";
    const std::string command =
        "pg_dump --column-inserts --dbname '" + world.database().conninfo() + "' > '" + path + "'";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("pg_dump failed");
    const std::string text = text_of(path);
    std::filesystem::remove(path);
    EXPECT_NE(text.find("user_logins"), std::string::npos);
    return text;
  }

  void expect_no_clear_value() {
    const std::string database = dump();
    const std::string server =
        text_of(std::filesystem::path(TestCluster::shared().value("SLUICE_POSTGRES_DATA")) /
                "../server.log");
    EXPECT_FALSE(server.empty());
    for (const std::string_view value : {kIp, kDevice}) {
      expect_absent("the database", database, value);
      expect_absent("the server's log", server, value);
      for_each_file([&](const std::string& path, const std::string& content) {
        expect_absent(path, content, value);
      });
    }
  }

  /// Checkpoint, journal, logs, summary, metrics and whatever else lies there.
  void for_each_file(const std::function<void(const std::string&, const std::string&)>& look) {
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(world.folder())) {
      EXPECT_FALSE(entry.path().filename().string().starts_with("core")) << entry.path();
      if (!entry.is_regular_file()) continue;
      ++files;
      look(entry.path().string(), text_of(entry.path()));
    }
    EXPECT_GT(files, 3);
  }

  LoginWorld world;
};

TEST_F(Privacy, no_clear_value_stays_after_rows_rejections_and_refusals) {
  world.database().run("ALTER TABLE public.user_logins ADD CHECK (device_type <> 'toaster')");
  for (int i = 0; i < 20; ++i) world.send_body(canary_body(std::to_string(i)));
  const std::string good = canary_body("bad");
  for (const std::string& bad :
       {good.substr(0, good.size() - 1), "[" + good + "]", replaced(good, "1.2.3", "x-1"),
        replaced(good, "\"ip\":\"", "\"ip\":\"not an address "),
        replaced(good, "\"device_id\":\"", "\"device_id\":\"" + std::string(40, 'x')),
        replaced(good, "{", "{\"ip\":\"" + std::string(kIp) + "\","),
        replaced(good, "\"ios\"", "\"" + std::string(kIp) + std::string(kDevice) + "\""),
        std::string(kDevice), "\"" + std::string(kIp) + "\"",
        replaced(good, "\"app_version\"", "\"" + std::string(kDevice) + "\""),
        canary_body("refused", "toaster")}) {
    world.send_body(bad);
  }
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), 31);
  EXPECT_GE(outcome.count("rejected"), 9);
  EXPECT_EQ(world.call({"check", "--show-config"}).status, 0);
  EXPECT_EQ(world.call({"status"}).status, 0);
  expect_no_clear_value();
}

TEST_F(Privacy, no_clear_value_stays_after_a_kill_in_the_middle_of_a_load) {
  TestSession holder = world.database().session();
  holder.run("BEGIN; LOCK TABLE public.user_logins IN SHARE MODE");
  for (int i = 0; i < 20; ++i) world.send_body(canary_body(std::to_string(i)));
  world.send_body(canary_body("bad").substr(1));
  const auto run = world.start_run();
  world.database().wait_until(
      "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
      "wait_event_type = 'Lock')");
  run->kill();
  EXPECT_EQ(run->wait().status, 137);
  expect_no_clear_value();
  holder.run("ROLLBACK");
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(world.database().value("SELECT count(*) FROM public.user_logins"), "20");
  expect_no_clear_value();
}

TEST_F(Privacy, no_clear_value_reaches_the_log_of_a_server_that_logs_everything) {
  world.database().run("ALTER DATABASE " + world.database().name() +
                       " SET log_min_messages = 'debug1'");
  world.database().run("ALTER DATABASE " + world.database().name() + " SET log_statement = 'all'");
  world.database().run(
      "ALTER TABLE public.user_logins ADD UNIQUE (masked_ip), ADD CHECK "
      "(device_type <> 'toaster')");
  for (int i = 0; i < 5; ++i) {
    world.send_body(canary_body(std::to_string(i), i == 2 ? "toaster" : "ios"));
  }
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  expect_no_clear_value();
}

TEST_F(Privacy, no_secret_is_told_to_anybody) {
  const auto keys = boost::json::parse(text_of(world.keyring()));
  const std::string key(keys.at("keys").at(0).at("secret").as_string());
  const std::vector<std::string> secrets = {key, world.variables()["AWS_SECRET_ACCESS_KEY"],
                                            world.variables()["PGPASSWORD"]};
  world.send(5);
  const auto gate = gate_before(world, "ReceiveMessage");
  const auto run = world.start_run({"--max-messages", "5"});
  ASSERT_TRUE(gate->wait_for_call());
  const std::string words = text_of("/proc/" + std::to_string(run->pid()) + "/cmdline");
  EXPECT_NE(words.find("run"), std::string::npos);
  gate->open();
  EXPECT_EQ(run->wait().status, 0);
  world.call({"check", "--show-config"});
  world.call({"status", "--json"});
  const std::string right = world.variables()["PGPASSWORD"];
  world.variables()["PGPASSWORD"] = "wrong-canary-word";
  EXPECT_EQ(world.run().status, 77);
  world.variables()["PGPASSWORD"] = right;
  world.variables()["AWS_SESSION_TOKEN"] = "wrong-canary-token";
  EXPECT_EQ(world.run().status, 77);
  const std::string database = dump();
  for (std::string secret : secrets) {
    EXPECT_EQ(words.find(secret), std::string::npos);
    expect_absent("the database", database, secret);
  }
  for_each_file([&](const std::string& path, const std::string& content) {
    for (const std::string& secret : secrets) {
      if (path != world.keyring()) expect_absent(path, content, secret);
    }
    expect_absent(path, content, "wrong-canary-word");
    expect_absent(path, content, "wrong-canary-token");
  });
}

TEST_F(Privacy, a_crash_leaves_no_memory_behind) {
  world.variables()["ASAN_OPTIONS"] = "handle_segv=0:handle_abort=0";  // it must die of them
  for (const int signal : {SIGABRT, SIGSEGV}) {
    const auto gate = gate_before(world, "ReceiveMessage");
    world.send_body(canary_body("somebody"));
    // As a host is set up where every crash leaves a core file.
    const auto run = world.start_run({}, {"sh", "-c", "ulimit -c unlimited; exec \"$@\"", "sh"});
    ASSERT_TRUE(gate->wait_for_call());
    const std::string process = "/proc/" + std::to_string(run->pid());
    std::istringstream limits(text_of(process + "/limits"));
    std::string core;
    for (std::string line; std::getline(limits, line);) {
      if (line.starts_with("Max core file size")) core = line;
    }
    EXPECT_EQ(core.find("unlimited"), std::string::npos) << core;
    EXPECT_NE(core.find(" 0 "), std::string::npos) << core;
    // Not dumpable: its memory belongs to root, whoever runs it.
    struct stat memory {};
    EXPECT_EQ(::stat((process + "/mem").c_str(), &memory), 0);
    EXPECT_EQ(memory.st_uid, 0U);
    run->signal(signal);
    EXPECT_EQ(run->wait().status, 128 + signal);
    world.aws().faults().clear();
    expect_no_clear_value();
  }
}

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 2; i + 1 < hex.size(); i += 2) {  // after Postgres's "\x"
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

MessageId id_of(const std::string& uuid) {
  std::string hex = "\\x";
  std::ranges::copy_if(uuid, std::back_inserter(hex), [](char c) { return c != '-'; });
  MessageId id{};
  std::ranges::copy(bytes_of(hex), id.begin());
  return id;
}

TEST_F(Privacy, whoever_holds_the_keyring_can_open_a_rejection) {
  const std::vector<std::string> bodies = {"{", canary_body("one").substr(1),
                                           replaced(canary_body("two"), "1.2.3", "x")};
  for (const std::string& body : bodies) world.send_body(body);
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(world.call({"keygen", "--rotate"}).status, 0);
  const Keyring keyring = Keyring::read(world.keyring());
  const Keyring stranger = Keyring::generate(0);
  std::set<std::string> opened;
  for (const Row& row : world.database().rows(
           "SELECT message_id::text, key_id, sealed_body::text FROM sluice.rejected_message")) {
    const auto body = unseal(keyring, row[1], id_of(row[0]), bytes_of(row[2]));
    ASSERT_TRUE(body.has_value());
    opened.insert(*body);
    EXPECT_FALSE(unseal(stranger, row[1], id_of(row[0]), bytes_of(row[2])).has_value());
  }
  EXPECT_EQ(opened, std::set<std::string>(bodies.begin(), bodies.end()));
}

TEST_F(Privacy, what_postgres_refused_is_kept_as_the_masked_row) {
  world.database().run("ALTER TABLE public.user_logins ADD CHECK (device_type <> 'toaster')");
  world.send_body(canary_body("refused-user", "toaster"));
  EXPECT_EQ(world.run().status, 0);
  const Keyring keyring = Keyring::read(world.keyring());
  const Row row = world.database().rows(
      "SELECT message_id::text, key_id, sealed_body::text FROM sluice.rejected_message")[0];
  const auto kept = unseal(keyring, row[1], id_of(row[0]), bytes_of(row[2]));
  ASSERT_TRUE(kept.has_value());
  EXPECT_NE(kept->find("refused-user"), std::string::npos);
  expect_absent("the sealed row", *kept, kIp);
  expect_absent("the sealed row", *kept, kDevice);
}

}  // namespace
}  // namespace sluice
