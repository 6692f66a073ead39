// SPDX-License-Identifier: Apache-2.0
#include "job/aws/credential_process.h"

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "job/aws/child_process.h"
#include "job/base/failure.h"
#include "tests/support/aws_files.h"

namespace sluice {
namespace {

class CredentialProcess : public ::testing::Test {
 protected:
  /// A shell script that the profile runs, with a word that must never be told.
  void script(const std::string& body) {
    const std::string path = files_.file("keys", "#!/bin/sh\n" + body + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    files_.config("[default]\ncredential_process = '" + path + "' --password hunter2\n");
  }
  std::optional<Credentials> find() {
    return credentials_of_process(Profile("", files_.environment()), {});
  }
  Failure refusal() {
    try {
      find();
    } catch (const Failure& failure) {
      EXPECT_EQ((failure.message() + failure.hint()).find("hunter2"), std::string::npos);
      EXPECT_EQ((failure.message() + failure.hint()).find("s3cret"), std::string::npos);
      return failure;
    }
    return {Fault::bug, "accepted", ""};
  }
  std::string told() {
    const std::string prefix = "credentials: credential_process of profile default in " +
                               files_.variables["HOME"] + "/.aws/config: ";
    const Failure failure = refusal();
    EXPECT_EQ(failure.fault(), Fault::rights);
    return failure.message().starts_with(prefix) ? failure.message().substr(prefix.size())
                                                 : failure.message();
  }

  AwsFiles files_;
};

TEST_F(CredentialProcess, what_it_prints_are_the_credentials) {
  script(R"(echo '{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"s3cret","SessionToken":"t",)"
         R"("Expiration":"2026-11-20T10:07:00Z"}')");
  const auto found = find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key, "AK");
  EXPECT_EQ(found->secret.reveal(), "s3cret");
  EXPECT_EQ(found->session_token.reveal(), "t");
  EXPECT_EQ(found->expires_ms, 1'795'169'220'000);
  EXPECT_EQ(found->origin, "credential_process of profile default in " + files_.variables["HOME"] +
                               "/.aws/config");
}

TEST_F(CredentialProcess, without_an_expiration_they_do_not_expire) {
  script(R"(echo '{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"s3cret"}')");
  EXPECT_FALSE(find()->expires_ms);
  files_.config("[default]\nregion = us-east-1\n");
  EXPECT_FALSE(find());
}

TEST_F(CredentialProcess, no_shell_looks_at_its_words) {
  script(R"(printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"s"}' "$1")");
  const std::string path = files_.variables["HOME"] + "/keys";
  files_.config("[default]\ncredential_process = " + path + " '$HOME;*' | false\n");
  EXPECT_EQ(find()->access_key, "$HOME;*");
}

TEST_F(CredentialProcess, a_failure_is_told_with_a_line_of_its_complaint) {
  script("echo 's3cret'; printf 'vault is sealed\\n\\033[1m' >&2; exit 7");
  EXPECT_EQ(told(), "it ended with status 7: vault is sealed??[1m");
  script("echo 's3cret-s3cret'; echo 'gave s3cret-s3cret' >&2; exit 7");
  EXPECT_EQ(told(), "it ended with status 7");
  script("kill -9 $$");
  EXPECT_EQ(told(), "it ended with status 137");
  script("head -c 100000 /dev/zero | tr '\\0' 'x' >&2; exit 1");
  EXPECT_EQ(told(), "it ended with status 1: " + std::string(300, 'x'));
}

TEST_F(CredentialProcess, other_output_is_refused_without_being_told) {
  script("echo s3cret");
  EXPECT_EQ(told(), "it printed no JSON object");
  script(R"(echo '{"AccessKeyId":"AK","SecretAccessKey":"s3cret"}')");
  EXPECT_EQ(told(), "it printed no \"Version\": 1");
  script(R"(echo '{"Version":2,"AccessKeyId":"AK","SecretAccessKey":"s3cret"}')");
  EXPECT_EQ(told(), "it printed no \"Version\": 1");
  script(R"(echo '{"Version":1,"AccessKeyId":"AK"}')");
  EXPECT_EQ(told(), "it printed no SecretAccessKey");
  script(R"(echo '{"Version":1,"SecretAccessKey":"s3cret"}')");
  EXPECT_EQ(told(), "it printed no AccessKeyId");
  script(
      R"(echo '{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"s3cret","Expiration":"soon"}')");
  EXPECT_EQ(told(), "it printed an Expiration that is no time");
  script("yes s3cret");
  EXPECT_EQ(told(), "it printed too much");
}

TEST_F(CredentialProcess, what_cannot_be_started_is_told) {
  files_.config("[default]\ncredential_process = /no/such/program\n");
  EXPECT_EQ(told(), "cannot start it: No such file or directory");
  files_.config("[default]\ncredential_process = 'open\n");
  EXPECT_EQ(told(), "a quote is not closed");
}

TEST(ChildProcess, one_that_does_not_end_is_killed_with_its_children) {
  AwsFiles files;
  const std::string pid_file = files.file("pid", "");
  const ChildEnd end =
      run_child({"/bin/sh", "-c", "sleep 600 & echo $! > " + pid_file + "; wait"}, {1000, 300}, {});
  EXPECT_EQ(end.how, ChildEnd::How::too_late);
  int grandchild = 0;
  std::ifstream(pid_file) >> grandchild;
  ASSERT_GT(grandchild, 0);
  const auto runs = [&] {
    std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
    std::string number, name, state;
    stat >> number >> name >> state;
    return !state.empty() && state != "Z";
  };
  while (runs()) std::this_thread::yield();  // SIGKILL is on its way
}

TEST(ChildProcess, it_has_no_input_and_none_of_our_files_and_blocked_signals) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  const int open = ::dup2(STDOUT_FILENO, 9);
  const ChildEnd mask = run_child({"grep", "SigBlk", "/proc/self/status"}, {1000, 60'000}, {});
  const ChildEnd files =
      run_child({"/bin/sh", "-c", "cat; [ -e /proc/self/fd/9 ] || echo none"}, {1000, 60'000}, {});
  ::close(open);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(mask.out, "SigBlk:\t0000000000000000\n");
  EXPECT_EQ(files.out, "none\n");
}

TEST(ChildProcess, a_stop_ends_the_wait_for_it) {
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  EXPECT_THROW(run_child({"sleep", "600"}, {1000, 600'000}, stop.get_token()), Failure);
  stopper.join();
}

TEST(ChildProcess, one_that_closes_its_output_is_still_waited_for) {
  const ChildEnd end =
      run_child({"/bin/sh", "-c", "exec >&- 2>&-; sleep 0.2; exit 5"}, {1000, 60'000}, {});
  EXPECT_EQ(end.how, ChildEnd::How::exited);
  EXPECT_EQ(end.code, 5);
}

TEST(ChildProcess, what_another_process_keeps_open_is_not_waited_for) {
  const ChildEnd end = run_child({"/bin/sh", "-c", "sleep 3 & echo done"}, {1000, 60'000}, {});
  EXPECT_EQ(end.out, "done\n");
}

}  // namespace
}  // namespace sluice
