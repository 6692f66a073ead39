// SPDX-License-Identifier: Apache-2.0
// The units as they are shipped: judged by systemd's own tools, and run by a systemd that is
// process 1 of a machine of its own.
#include <filesystem>
#include <regex>

#include "tests/end_to_end/scene.h"
#include "tests/schedulers/installed.h"
#include "tests/schedulers/wait_until.h"

namespace sluice {
namespace {

const std::filesystem::path kUnits = std::filesystem::path(SLUICE_SOURCE_DIR) / "cron" / "systemd";
constexpr char kService[] = "sluice@user_logins.service";
constexpr int kMessages = 25;

/// `systemd-analyze …` on copies of the units that name the program by its path: it need not be
/// installed here.
Outcome analyze(const LoginWorld& world, const std::string& arguments) {
  for (const char* name : {"sluice@.service", "sluice@.timer"}) {
    const std::regex program("ExecStart=sluice");
    const std::string path = std::string("ExecStart=") + std::getenv("SLUICE_BINARY");
    write_text(world.folder() + "/" + name,
               std::regex_replace(text_of(kUnits / name), program, path));
  }
  const std::string command =
      "cd " + world.folder() + " && systemd-analyze --no-pager " + arguments + " > said 2>&1";
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), text_of(world.folder() + "/said"), ""};
}

/// What the unit's lines `KEY=…` say.
std::vector<std::string> values_of(const std::string& key) {
  std::vector<std::string> values;
  std::istringstream lines(text_of(kUnits / "sluice@.service"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key + "=")) values.push_back(line.substr(key.size() + 1));
  }
  return values;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

TEST(Units, are_understood_by_systemd_to_the_last_word) {
  const LoginWorld world;
  const Outcome outcome = analyze(world, "verify ./sluice@.service ./sluice@.timer");
  EXPECT_EQ(outcome.out, "");  // its status is 0 even when it does not know a key
  EXPECT_EQ(outcome.status, 0);
}

TEST(Units, are_as_hard_as_the_readme_says) {
  const LoginWorld world;
  std::smatch score;
  const std::string readme = text_of(kUnits.parent_path() / "README.md");
  ASSERT_TRUE(std::regex_search(readme, score, std::regex(R"(security`: \*\*(\d)\.(\d)\*\*)")));
  const Outcome outcome = analyze(world, "security --offline=true --threshold=" + score[1].str() +
                                             score[2].str() + " ./sluice@.service");
  EXPECT_EQ(outcome.status, 0) << outcome.out;
}

/// Plays systemd: a folder of files that only their user may read, and the unit's own lines.
TEST(Units, give_a_run_all_that_it_needs) {
  LoginWorld world;
  world.answer_empty_polls_at_once();
  world.send(kMessages);
  const std::string given = world.folder() + "/credentials";
  std::filesystem::create_directories(given);
  std::filesystem::create_directory(world.folder() + "/.aws");
  const auto filled_in = [&](std::string text) {
    text = std::regex_replace(text, std::regex("%d"), given);
    text = std::regex_replace(text, std::regex("%i"), "pipeline");
    return std::regex_replace(text, std::regex("/etc/sluice/pipelines"), world.folder());
  };
  write_text(world.folder() + "/.aws/config", aws_config(world));
  const std::map<std::string, std::string> secrets = {{"keyring.json", text_of(world.keyring())},
                                                      {"pg_service.conf", pg_service(world)},
                                                      {"aws_credentials", aws_credentials(world)}};
  for (const std::string& value : values_of("LoadCredential")) {
    const std::string name = value.substr(0, value.find(':'));
    write_text(given + "/" + name, secrets.at(name));
    std::filesystem::permissions(given + "/" + name, std::filesystem::perms::owner_read);
    world.leave_out("credentials/" + name);
  }
  const Program::Variables own = world.variables();
  world.variables() = {{"HOME", world.folder()},
                       {"CREDENTIALS_DIRECTORY", given},
                       {"STATE_DIRECTORY", world.folder() + "/state"}};
  for (const std::string& value : values_of("Environment")) {
    for (const std::string& word : words_of(filled_in(value))) {
      world.variables()[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    }
  }
  std::vector<std::string> command = words_of(filled_in(values_of("ExecStart").at(0)));
  ASSERT_EQ(command.front(), "sluice");
  command.erase(command.begin());
  const Outcome outcome = world.call(command);
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_EQ(world.call(command).status, 99);
  world.variables() = own;
  world.expect_everything_once();
}

class Systemd : public Installed {
 protected:
  void SetUp() override {
    Installed::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    install("until [ -e /go ]; do sleep 0.1; done; exec /lib/systemd/systemd");
    // Of what this machine starts, only the journal.
    machine->run(
        "find /etc/systemd/system /lib/systemd/system -name '*.wants' -exec rm -r {} + ; "
        "rm -rf /lib/systemd/system-generators /etc/systemd/system/default.target; : > /etc/fstab; "
        "ln -sf basic.target /lib/systemd/system/default.target; "
        "mkdir /lib/systemd/system/sysinit.target.wants; "
        "ln -s ../systemd-journald.service /lib/systemd/system/sysinit.target.wants/; touch /go");
    wait_until([this] { return machine->shell("systemctl is-active basic.target").status == 0; });
    // Leaks are found by tracing, which the unit may not.
    machine->run("systemctl set-environment ASAN_OPTIONS=detect_leaks=0");
  }
  Outcome start() { return machine->shell(std::string("systemctl start ") + kService); }
  /// Of the last run that could write it down.
  std::string last_status() {
    return world.database().value(
        "SELECT exit_code FROM sluice.run ORDER BY started_at DESC LIMIT 1");
  }
  /// "ActiveState=failed …". A unit that ended well is forgotten at once, with its status.
  void expect(const std::string& properties) {
    for (const std::string& property : words_of(properties)) {
      const std::string name = property.substr(0, property.find('='));
      EXPECT_EQ(machine->run("systemctl show --property=" + name + " " + kService), property + "\n")
          << machine->shell("journalctl --no-pager -o cat").out;
    }
  }
};

TEST_F(Systemd, runs_the_unit_and_does_what_its_status_asks_for) {
  world.answer_empty_polls_at_once();
  world.send(kMessages);
  ASSERT_EQ(start().status, 0) << machine->run("journalctl --no-pager -o cat");
  expect("ActiveState=inactive");
  world.expect_everything_once();

  EXPECT_EQ(start().status, 0);
  expect("ActiveState=inactive");
  EXPECT_EQ(last_status(), "99");

  world.aws().faults().clear();
  const auto gate = gate_before(world, "ReceiveMessage");
  machine->run(std::string("systemctl start --no-block ") + kService);
  ASSERT_TRUE(gate->wait_for_call());
  machine->run(std::string("systemctl stop ") + kService);
  expect("ActiveState=inactive");
  EXPECT_EQ(last_status(), "143");
  world.aws().faults().clear();

  const std::string key = machine->read("/etc/sluice/keyring.json");
  write_secret("keyring.json", "{}");
  EXPECT_NE(start().status, 0);
  expect("ActiveState=failed Result=exit-code ExecMainStatus=78");
  ASSERT_FALSE(HasFailure());  // the next start would wait for a restart
  write_secret("keyring.json", key);

  write_secret("pg_service.conf", "[sluice]\nhost=127.0.0.1\nport=1\nuser=nobody\n");
  EXPECT_NE(start().status, 0);
  expect("ActiveState=activating SubState=auto-restart ExecMainStatus=75");
}

TEST_F(Systemd, waits_for_the_hour_when_the_timer_is_enabled_as_the_readme_says) {
  machine->run(commands("systemd"));
  EXPECT_EQ(machine->run("systemctl is-active sluice@user_logins.timer"), "active\n");
  EXPECT_EQ(machine->run("systemctl is-enabled sluice@user_logins.timer"), "enabled\n");
  const std::string next =
      machine->run("systemctl show --property=NextElapseUSecRealtime sluice@user_logins.timer");
  EXPECT_NE(next, "NextElapseUSecRealtime=\n");
  expect("ActiveState=inactive");
}

}  // namespace
}  // namespace sluice
