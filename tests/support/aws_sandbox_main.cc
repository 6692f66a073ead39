// SPDX-License-Identifier: Apache-2.0
// The sandbox as a program, for the demonstration and for tests in other languages. It says
// nothing, writes its port into a file when it is ready, and ends on SIGTERM, SIGINT or when its
// parent dies. What goes wrong is told by `--fault`, as often as wanted, in the words of
// tests/support/sandbox_fault_text.h; chances follow from `--seed`:
//
//   --fault "ReceiveMessage chance=0.3 status=400 code=ThrottlingException retry-after=200"
//   --fault "ReceiveMessage short-polls chance=0.5 empty"
//   --fault "DeleteMessageBatch calls=2 drop=after"
//   --fault "* chance=0.01 status=503 html=<html>no</html>"
#include <csignal>
#include <iostream>
#include <map>

#include <boost/program_options.hpp>
#include <sys/prctl.h>
#include <unistd.h>

#include "job/base/failure.h"
#include "job/base/file.h"
#include "job/base/text.h"
#include "tests/support/aws_sandbox.h"
#include "tests/support/login_messages.h"
#include "tests/support/sandbox_fault_text.h"

namespace sluice {
namespace {

namespace options = boost::program_options;

struct Wishes {
  std::string port_file;
  std::string expected_file;  // what the pipeline must make of the fill
  std::string clear_file;     // values that must never be found behind the pipeline
  std::vector<std::string> queues;
  std::string fill;
  std::uint64_t seed = 1;
  int visibility_s = 30;
  double twice = 0;  // chance that a receive's messages are delivered again
  std::string account = QueueRules().account;
  int max_receive_count = 0;
  std::string session_token;
  std::int64_t clock_skew_s = 0;
  std::vector<std::string> faults;
};

Wishes parse(int argc, char** argv) {
  Wishes wishes;
  options::options_description known("aws_sandbox");
  const auto takes = [&known](const char* name, auto& into, const char* help) {
    known.add_options()(name, options::value(&into), help);
  };
  takes("port-file", wishes.port_file, "written when ready; needed");
  takes("queue", wishes.queues, "a queue to make, FIFO if its name says so; the first is filled");
  takes("visibility", wishes.visibility_s, "their visibility timeout in seconds");
  takes("account", wishes.account, "whose queues they are");
  takes("max-receive-count", wishes.max_receive_count,
        "of the first queue, whose dead letters go into the last");
  takes("session-token", wishes.session_token, "the keys are temporary and need it");
  takes("clock-skew", wishes.clock_skew_s, "seconds by which the sandbox's clock is ahead");
  takes("fault", wishes.faults, "what goes wrong; the first that a call meets");
  takes("fill", wishes.fill, "logins=N");
  takes("seed", wishes.seed, "of everything random");
  takes("twice", wishes.twice, "chance that what a receive gives is given again; the second is");
  takes("expected-file", wishes.expected_file, "lines: 'good N', 'REASON N', 'example NUMBER'");
  takes("clear-file", wishes.clear_file, "each ip and device id of the fill on a line");
  options::variables_map given;
  options::store(options::parse_command_line(argc, argv, known), given);
  options::notify(given);
  if (wishes.port_file.empty()) throw Failure(Fault::usage, "no --port-file", "name one");
  if (wishes.queues.empty()) wishes.queues.emplace_back("login-queue");
  if (wishes.max_receive_count > 0 && wishes.queues.size() < 2) {
    throw Failure(Fault::usage, "--max-receive-count: no queue for the dead letters",
                  "add another --queue");
  }
  return wishes;
}

std::uint64_t messages_in(const std::string& fill) {
  if (fill.empty()) return 0;
  const auto count =
      fill.starts_with("logins=") ? parse_integer<std::uint64_t>(fill.substr(7)) : std::nullopt;
  if (!count) throw Failure(Fault::usage, "--fill " + fill + ": unknown", "write logins=N");
  return *count;
}

void fill(SandboxQueue& queue, Now at, const Wishes& wishes) {
  std::map<std::string, std::uint64_t> expected{{"good", 0}};
  std::optional<std::uint64_t> example;
  std::string clear;
  const std::uint64_t count = messages_in(wishes.fill);
  for (std::uint64_t number = 0; number < count; ++number) {
    LoginMessage login = login_message(wishes.seed, number);
    ++expected[login.flaw.empty() ? "good" : std::string(login.flaw)];
    if (login.flaw.empty() && !example) example = number;
    if (!wishes.clear_file.empty()) clear += login.ip + "\n" + login.device_id + "\n";
    queue.send({.body = std::move(login.body)}, at);
  }
  std::string lines = "example " + std::to_string(example.value_or(0)) + "\n";
  for (const auto& [name, number] : expected) lines += name + " " + std::to_string(number) + "\n";
  if (!wishes.expected_file.empty()) write_file(wishes.expected_file, lines, "expected file");
  if (!wishes.clear_file.empty()) write_file(wishes.clear_file, clear, "clear file", Mode::secret);
}

void make_queues(SandboxSqs& sqs, const Wishes& wishes) {
  for (auto name = wishes.queues.rbegin(); name != wishes.queues.rend(); ++name) {
    QueueRules made{.name = *name, .account = wishes.account, .visibility_s = wishes.visibility_s};
    if (wishes.max_receive_count > 0 && std::next(name) == wishes.queues.rend()) {
      made.max_receive_count = wishes.max_receive_count;
      made.dead_letter_queue = wishes.queues.back();
    }
    sqs.add_queue(std::move(made));
  }
  sqs.with_queue(wishes.queues.front(),
                 [&](SandboxQueue& queue, Now at) { fill(queue, at, wishes); });
}

void serve_until_told(const Wishes& wishes) {
  // Blocked before the first thread starts, so that only sigwait meets them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  const pid_t parent = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) return;

  AwsSandbox sandbox("us-east-1", wishes.seed);
  make_queues(sandbox.sqs(), wishes);
  sandbox.sqs().set_clock_offset(wishes.clock_skew_s * 1000);
  sandbox.set_credentials({.token = wishes.session_token});
  for (const std::string& fault : wishes.faults) sandbox.faults().add(parse_fault(fault));
  if (wishes.twice > 0) {
    sandbox.faults().add({.on = "ReceiveMessage", .calls = {2}, .fault = {.twice = true}});
    sandbox.faults().add(
        {.on = "ReceiveMessage", .chance = wishes.twice, .fault = {.twice = true}});
  }
  write_file(wishes.port_file, std::to_string(sandbox.port()) + "\n", "port file");
  int signal = 0;
  sigwait(&ends, &signal);
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  try {
    sluice::serve_until_told(sluice::parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "aws_sandbox: " << error.what() << "\n";
    return 64;
  }
}
