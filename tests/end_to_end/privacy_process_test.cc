// SPDX-License-Identifier: Apache-2.0
// What the process itself shows of clear values and secrets: its memory, its core file, the rights
// of its files, what its children get.
#include <set>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/base/encoding.h"
#include "job/mask/keyring.h"
#include "tests/end_to_end/privacy.h"

namespace sluice {
namespace {

class PrivacyOfTheProcess : public Privacy {
 protected:
  /// Waits until a run loads: every message is staged then.
  TestSession hold_the_load() {
    TestSession holder = world.database().session();
    holder.run("BEGIN; LOCK TABLE public.user_logins IN SHARE MODE");
    return holder;
  }
  void expect_closed_files() {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(world.folder())) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("checkpoint.db") && !name.starts_with("keyring.json")) continue;
      ++files;
      EXPECT_EQ(static_cast<unsigned>(entry.status().permissions()) & 0177U, 0U) << name;
    }
    EXPECT_GE(files, 2);
  }
};

std::vector<std::string> lines_of(const std::string& path) {
  std::istringstream text(text_of(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// How often it stands in memory that the process can write.
int times_in_memory(pid_t pid, std::string_view value) {
  constexpr std::size_t kMost = std::size_t{1} << 28;  // the shadow of a sanitizer is larger
  const std::string process = "/proc/" + std::to_string(pid);
  const int memory = ::open((process + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_GE(memory, 0) << "may not read " << process << "/mem";
  int times = 0;
  for (const std::string& line : lines_of(process + "/maps")) {
    const std::size_t dash = line.find('-');
    const std::size_t first = std::stoull(line.substr(0, dash), nullptr, 16);
    const std::size_t end = std::stoull(line.substr(dash + 1), nullptr, 16);
    if (line[line.find(' ') + 2] != 'w' || end - first > kMost) continue;
    std::string content(end - first, '\0');
    const ssize_t got = ::pread(memory, content.data(), content.size(), static_cast<off_t>(first));
    content.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    for (auto at = content.find(value); at != content.npos; at = content.find(value, at + 1)) {
      ++times;
    }
  }
  ::close(memory);
  return times;
}

TEST_F(PrivacyOfTheProcess, after_the_start_the_keys_are_in_memory_only_where_they_are_used) {
  const Keyring keyring = Keyring::read(world.keyring());
  const std::string key(keyring.current().secret.reveal());
  for (int i = 0; i < 20; ++i) world.send_body(canary_body(std::to_string(i)));
  world.send_body(canary_body("bad").substr(1));
  TestSession holder = hold_the_load();
  // Without the call that closes its memory to everybody, the test too.
  world.variables()["ASAN_OPTIONS"] = "detect_leaks=0";  // found by tracing, and strace traces
  const auto run = world.start_run({}, {"strace", "-f", "-qq", "-o", "/dev/null", "-e",
                                        "trace=prctl", "-e", "inject=prctl:retval=0"});
  wait_until_load_is_held(world);
  const std::string strace = std::to_string(run->pid());
  const pid_t pid = std::stoi(text_of("/proc/" + strace + "/task/" + strace + "/children"));
  EXPECT_EQ(times_in_memory(pid, key), 1);  // the keyring's own
  EXPECT_EQ(times_in_memory(pid, to_base64(key)), 0) << "the file's text is still there";
  // That of the seals is made anew for each and forgotten; that of a mask is in its function.
  EXPECT_EQ(times_in_memory(pid, derive_key(keyring.current(), "sluice/seal/v1", 32).reveal()), 0);
  EXPECT_EQ(times_in_memory(pid, derive_key(keyring.current(), "sluice/mask/v1/ip", 32).reveal()),
            1);
  holder.run("ROLLBACK");
  EXPECT_EQ(run->wait().status, 0);
}

TEST_F(PrivacyOfTheProcess, its_files_are_its_owners_whatever_the_umask) {
  for (int i = 0; i < 5; ++i) world.send_body(canary_body(std::to_string(i)));
  std::filesystem::remove(world.keyring());
  const std::vector<std::string> open_to_all = {"sh", "-c", "umask 0; exec \"$@\"", "sh"};
  EXPECT_EQ(Program(world.folder(), {"keygen"}, world.variables(), open_to_all).wait().status, 0);
  EXPECT_EQ(
      Program(world.folder(), {"keygen", "--rotate"}, world.variables(), open_to_all).wait().status,
      0);
  TestSession holder = hold_the_load();
  const auto run = world.start_run({}, open_to_all);
  wait_until_load_is_held(world);
  expect_closed_files();  // with the journal
  holder.run("ROLLBACK");
  EXPECT_EQ(run->wait().status, 0);
  expect_closed_files();
}

TEST_F(PrivacyOfTheProcess, what_it_starts_gets_no_file_and_no_key_and_no_clear_value) {
  for (int i = 0; i < 5; ++i) world.send_body(canary_body(std::to_string(i)));
  world.aws().set_credentials({"AKPROCESS", "secret/of-a-process", "token/of-a-process"});
  const std::string seen = world.folder() + "/seen";
  write_text(world.folder() + "/keys.sh",
             "#!/bin/sh\ntr '\\0' '\\n' < /proc/self/environ >> " + seen +
                 ".environ\ntr '\\0' ' ' < /proc/$$/cmdline >> " + seen +
                 ".cmdline\nls -l /proc/$$/fd >> " + seen +
                 ".fd\n"
                 "echo '{\"Version\":1,\"AccessKeyId\":\"AKPROCESS\",\"SecretAccessKey\":"
                 "\"secret/of-a-process\",\"SessionToken\":\"token/of-a-process\"}'\n");
  std::filesystem::create_directory(world.folder() + "/.aws");
  write_text(world.folder() + "/.aws/config",
             "[default]\ncredential_process = /bin/sh " + world.folder() + "/keys.sh\n");
  const auto variables = world.variables();
  world.variables().erase("AWS_ACCESS_KEY_ID");
  world.variables().erase("AWS_SECRET_ACCESS_KEY");
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  // Its environment is that of the run, as with AWS's own tools: the user's, and nothing added.
  std::set<std::string> known;
  for (const auto& [name, value] : world.variables()) known.insert(name + "=" + value);
  for (const std::string& line : lines_of(seen + ".environ")) {
    EXPECT_TRUE(known.contains(line) || line.starts_with("PATH=") || line.starts_with("PWD="))
        << line;
  }
  EXPECT_NE(text_of(seen + ".cmdline").find("keys.sh"), std::string::npos);
  const std::string files = text_of(seen + ".fd");
  EXPECT_NE(files.find("pipe:"), std::string::npos);  // where it prints
  for (const char* ours : {"socket:", "checkpoint", "keyring"}) {
    EXPECT_EQ(files.find(ours), std::string::npos) << files;
  }
  world.leave_out("seen.environ");  // with the password of the user's environment
}

TEST_F(Privacy, a_crash_leaves_no_memory_behind) {
  for (const char* sanitizer : {"ASAN_OPTIONS", "TSAN_OPTIONS"}) {
    world.variables()[sanitizer] = "handle_segv=0:handle_abort=0";  // it must die of them
  }
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
    world.expect_nothing_in_clear();  // and no core file
  }
}

}  // namespace
}  // namespace sluice
