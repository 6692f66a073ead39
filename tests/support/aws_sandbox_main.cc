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
  std::uint64_t sent_within_s = 0;
  std::uint64_t jitter_s = 0;
  std::uint64_t seed = 1;
  int visibility_s = 30;
  double twice = 0;  // chance that a receive's messages are delivered again
  std::string account = QueueRules().account;
  int max_receive_count = 0;
  std::string session_token;
  std::int64_t clock_skew_s = 0;
  bool unsigned_ok = false;
  bool only_good = false;
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
  known.add_options()("unsigned-ok", options::bool_switch(&wishes.unsigned_ok),
                      "calls without a signature are served too; one that is there is checked");
  takes("fault", wishes.faults, "what goes wrong; the first that a call meets");
  takes("fill", wishes.fill, "logins=N");
  takes("sent-within", wishes.sent_within_s, "it was sent evenly in the last so many seconds");
  takes("jitter", wishes.jitter_s, "and each message of it up to so many seconds before that");
  known.add_options()("only-good", options::bool_switch(&wishes.only_good),
                      "and none of it is bad");
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
  SeededRandom jitter(wishes.seed);
  std::uint64_t sent = 0;
  for (std::uint64_t number = 0; sent < count; ++number) {
    LoginMessage login = login_message(wishes.seed, number);
    if (wishes.only_good && !login.flaw.empty()) continue;
    ++expected[login.flaw.empty() ? "good" : std::string(login.flaw)];
    if (login.flaw.empty() && !example) example = sent;
    if (!wishes.clear_file.empty()) clear += login.ip + "\n" + login.device_id + "\n";
    const auto early_ms = jitter.below(wishes.jitter_s * 1000 + 1);
    const std::uint64_t ago_ms = 1000 * wishes.sent_within_s * (count - sent) / count + early_ms;
    const std::int64_t sent_ms = at.wall_ms - static_cast<std::int64_t>(ago_ms);
    queue.send({.body = std::move(login.body), .sent_ms = sent_ms}, at);
    ++sent;
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
  if (wishes.unsigned_ok) sandbox.allow_unsigned();
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
