// SPDX-License-Identifier: Apache-2.0
// What a test with the real program stands on: a sandbox queue, a database with the login table, a
// folder, a keyring.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/aws_sandbox.h"
#include "tests/support/canary.h"
#include "tests/support/login_messages.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"

namespace sluice {

/// A new one, on a disk.
std::string new_folder();
/// In memory where there is plenty: for tests of how long something takes. A disk that others keep
/// busy was seen to let an fsync wait for 28 s.
std::string new_folder_in_memory();

class LoginWorld {
 public:
  /// The queue is empty, the database migrated (unless told otherwise), the pipeline is
  /// pipelines/user_logins. The folder goes with the world.
  explicit LoginWorld(bool migrated = true, const TestCluster& cluster = TestCluster::shared(),
                      std::string folder = new_folder());
  ~LoginWorld();
  LoginWorld(const LoginWorld&) = delete;
  LoginWorld& operator=(const LoginWorld&) = delete;

  AwsSandbox& aws() { return aws_; }
  TestDatabase& database() { return database_; }
  const std::string& folder() const { return folder_; }
  std::string checkpoint() const { return folder_ + "/checkpoint.db"; }
  std::string keyring() const { return folder_ + "/keyring.json"; }
  std::string pipeline() const { return folder_ + "/pipeline.json"; }
  /// The settings of every run; a test may change them.
  Program::Variables& variables() { return variables_; }

  /// Another queue instead of the pipeline's, from now on; on a FIFO queue the messages are of
  /// three groups.
  void use_queue(const QueueRules& rules);

  /// Sends `count` messages of the login shape, numbered on from the last; some of them are bad on
  /// purpose.
  void send(int count);
  /// The same, but all of them are good, or all are bad.
  void send_good(int count) { send_only(count, true); }
  void send_bad(int count) { send_only(count, false); }
  void send_body(const std::string& body);

  /// `sluice COMMAND …` to its end.
  Outcome call(const std::vector<std::string>& arguments);
  /// `sluice run --json …`, started.
  std::unique_ptr<Program> start_run(const std::vector<std::string>& arguments = {},
                                     const std::vector<std::string>& before = {});
  /// The same, to its end.
  Outcome run(const std::vector<std::string>& arguments = {});
  /// From now on a long poll that finds nothing is answered at once, as if its time had passed.
  void answer_empty_polls_at_once();
  /// Every message that is left can be received again, as after the visibility timeout.
  void let_leases_lapse();
  /// As a scheduler would after a crash: leases lapse, then it runs again, until the queue is
  /// empty.
  void run_until_empty();

  QueueTally tally();
  std::size_t left_in_queue() { return tally().left(); }
  /// No clear value of a masked field and no secret lies where it must not: in the folder with
  /// everything that the runs wrote and said, in the database, in what its server has logged since
  /// this world was made. Every world looks once more when it ends. Fails the test.
  void expect_nothing_in_clear();
  const std::string& server_log() const { return server_log_; }
  /// A file of the test's own, by its name in the folder: it may hold such values.
  void leave_out(const std::string& name) { left_out_.insert(name); }

  /// Each message ever sent is one row, or one rejection for the reason it was made for, and gone
  /// from the queue; AWS would have refused no request. Fails the test with what differs.
  void expect_everything_once();

 private:
  void send_only(int count, bool good);
  void send_login(const LoginMessage& login);
  void look_at_files(const CanarySearch& search) const;
  void look_at_database(const CanarySearch& search);
  CanarySearch search_for_all() const;

  std::string folder_;
  std::string queue_ = "login-queue";  // the pipeline's
  AwsSandbox aws_;
  TestDatabase database_;
  Program::Variables variables_;
  std::vector<std::string> bodies_;
  std::uint64_t good_ = 0;
  std::map<std::string, std::uint64_t> bad_;  // by reason
  std::uint64_t next_ = 0;
  std::set<std::string> left_out_ = {"keyring.json"};
  std::string server_log_;
  std::uintmax_t log_began_at_ = 0;
};

}  // namespace sluice
