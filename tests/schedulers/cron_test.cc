// SPDX-License-Identifier: Apache-2.0
// The fragment for cron, as it is shipped but for its hour, under the real cron on a machine of its
// own: what is wrong is mailed, and nothing else.
#include <regex>

#include "tests/end_to_end/scene.h"
#include "tests/schedulers/installed.h"
#include "tests/schedulers/wait_until.h"

namespace sluice {
namespace {

constexpr char kFragment[] = "/etc/cron.d/sluice";
constexpr std::chrono::milliseconds kBetween(200);  // cron looks at its clock once a minute
constexpr char kSendmail[] = R"(#!/bin/sh
cat > /mail/incoming.$$ && mv /mail/incoming.$$ /mail/$$
)";

class Cron : public Installed {
 protected:
  void SetUp() override {
    Installed::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    install("while :; do sleep 1; done");  // it waits for what others leave to it, too
    machine->run("rm -f /etc/cron.d/* /etc/crontab; mkdir -m 1777 /mail");
    machine->write("/usr/sbin/sendmail", kSendmail, 0755);
    machine->run(commands("cron"));
    every_minute_ = replaced(machine->read(kFragment), "\n7 * * * *", "\n* * * * *");
    every_minute_ = replaced(every_minute_, "--start-jitter 2m", "--start-jitter 0s");
    machine->run(std::string("rm ") + kFragment);
  }
  /// One entry of cron's, for a worker of its own: the shipped one with `to` for `from`.
  void add(const std::string& worker, const std::string& from, const std::string& to) const {
    const std::string text = replaced(every_minute_, from, to);
    machine->write("/etc/cron.d/" + worker,
                   replaced(text, "sluice run", "sluice run --worker " + worker));
  }
  /// Another queue of `world`, as a run is told of it.
  std::string option_of_queue(const std::string& name) {
    return "--queue-url " + world.aws().sqs().add_queue({.name = name});
  }
  int mails_of(const std::string& worker) const {
    return std::stoi(machine->run("grep -l '^Subject: .*--worker " + worker +
                                  " ' /mail/[0-9]* 2> /dev/null | wc -l"));
  }
  /// What stands in it is nothing but `expected`, a regular expression.
  void expect_one_mail(const std::string& worker, const std::string& expected) const {
    ASSERT_EQ(mails_of(worker), 1) << worker;
    const std::string mail =
        machine->run("cat $(grep -l '^Subject: .*--worker " + worker + " ' /mail/[0-9]*)");
    const std::string body = mail.substr(mail.find("\n\n") + 2);
    EXPECT_TRUE(std::regex_match(body, std::regex(expected))) << mail;
  }
  /// By a run of the same entry that waits for messages; its process, as seen there.
  pid_t take_checkpoint_of(const std::string& worker) {
    const std::string entry = "/etc/cron.d/" + worker;
    const std::uint64_t before = world.aws().calls()["ReceiveMessage"];
    machine->run("sed -n 's/.* sluice sluice run/exec sluice run/p' " + entry +
                 " > /tmp/by-hand; env -i HOME=/var/lib/sluice $(grep '^[A-Z]' " + entry +
                 ") SLUICE_EMPTY_POLLS=100 SLUICE_WAIT_SECONDS=20 setpriv --reuid sluice "
                 "--clear-groups sh /tmp/by-hand > /tmp/said 2>&1 & echo $! > /tmp/holder");
    wait_until([&] { return world.aws().calls()["ReceiveMessage"] > before; });
    return std::stoi(machine->read("/tmp/holder"));
  }

  std::string every_minute_;
};

TEST_F(Cron, mails_what_is_wrong_and_nothing_else) {
  constexpr int kMessages = 150;  // one of a hundred is bad: that is data
  world.send(kMessages);
  machine->run(commands("Once, as root", 1));  // by hand
  world.expect_everything_once();
  world.send(kMessages);

  add("good", "--quiet", "--quiet");
  add("empty", "--quiet", "--quiet " + option_of_queue("empty"));
  add("wrong", "PGSERVICE=", "SLUICE_KEYRING=/etc/sluice/wrong.json\nPGSERVICE=");
  machine->write("/etc/sluice/wrong.json", "{}");
  add("taken", "--quiet", "--quiet " + option_of_queue("taken"));
  const pid_t holder = take_checkpoint_of("taken");

  machine->run("cron -L 15");
  wait_until([&] { return mails_of("wrong") > 0; }, kBetween);
  machine->run("kill $(cat /run/crond.pid)");  // this minute was enough
  // Each job has a cron of its own, which ends when it has mailed what there was.
  wait_until([&] { return machine->shell("! grep -qx cron /proc/[0-9]*/comm").status == 0; },
             kBetween);

  EXPECT_EQ(mails_of("good"), 0);
  world.expect_everything_once();
  EXPECT_EQ(mails_of("empty"), 0);
  EXPECT_EQ(world.database().value("SELECT exit_code FROM sluice.run WHERE worker = 'empty'"), "0");
  expect_one_mail("wrong",
                  "sluice: keyring /etc/sluice/wrong\\.json: .*\nhint: .*\nexit status 78\n");
  expect_one_mail("taken",
                  "sluice: checkpoint /var/lib/sluice/user_logins-taken\\.db: held by process " +
                      std::to_string(holder) + ", which began .* ago\nhint: .*\nexit status 75\n");
}

}  // namespace
}  // namespace sluice
