// SPDX-License-Identifier: Apache-2.0
// A database of its own for each test, on the cluster that tests/support/postgres.sh started:
// $SLUICE_TEST_POSTGRES names its file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

struct pg_conn;

namespace sluice {

using Row = std::vector<std::string>;  // NULL is ""

/// One connection as superuser. A statement that fails throws std::runtime_error.
class TestSession {
 public:
  explicit TestSession(const std::string& conninfo);
  /// Several statements: the rows of the last.
  std::vector<Row> rows(const std::string& sql);
  void run(const std::string& sql) { rows(sql); }
  /// The one cell of the answer.
  std::string value(const std::string& sql);
  /// Asks until the answer is true. Throws after half a minute: a test that hangs tells nothing.
  void wait_until(const std::string& condition);

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Finish> connection_;
};

class TestCluster {
 public:
  /// The one of the whole test run: $SLUICE_TEST_POSTGRES names its file.
  static const TestCluster& shared();
  /// As superuser, over the socket.
  std::string conninfo(const std::string& database, const std::string& user = "postgres") const;
  const std::string& value(const std::string& key) const { return values_.at(key); }

 protected:
  explicit TestCluster(const std::string& env_file);

 private:
  std::map<std::string, std::string> values_;
};

/// A cluster of one test, for what would disturb its neighbours. Takes seconds.
class OwnCluster : public TestCluster {
 public:
  /// `source` is the root of the repository.
  explicit OwnCluster(const std::string& source);
  ~OwnCluster();
  OwnCluster(const OwnCluster&) = delete;
  OwnCluster& operator=(const OwnCluster&) = delete;

  /// Stops the server, "fast" or "immediate"; an immediate stop is a crash.
  void halt(const std::string& mode) const;
  /// Starts it again, and returns when it answers.
  void resume() const;

 protected:
  /// The command of the script that makes it, before and after the name of its file.
  OwnCluster(const std::string& source, const std::string& before, const std::string& after);

 private:
  OwnCluster(const std::string& script, const std::string& env_file, const std::string& before,
             const std::string& after);
  std::string script_;
  std::string env_file_;
};

/// A standby that follows `primary`, which it reaches through `port`: a proxy can cut it off.
class StandbyCluster : public OwnCluster {
 public:
  StandbyCluster(const std::string& source, const TestCluster& primary, const std::string& port);
  void promote() const;
};

class TestDatabase {
 public:
  explicit TestDatabase(const TestCluster& cluster = TestCluster::shared());
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  void run(const std::string& sql) { session_->run(sql); }
  std::vector<Row> rows(const std::string& sql) { return session_->rows(sql); }
  std::string value(const std::string& sql) { return session_->value(sql); }
  void wait_until(const std::string& condition) { session_->wait_until(condition); }

  /// From now on it is the one of this name on that cluster: a promoted standby, or the same again
  /// after a restart, which ends every session.
  void move_to(const TestCluster& cluster);

  /// Another session, to hold a lock in.
  TestSession session() const { return TestSession(conninfo()); }
  std::string conninfo(const std::string& user = "postgres") const {
    return cluster_->conninfo(name_, user);
  }
  /// A login role of this test's that is a member of sluice_loader, if the database is migrated,
  /// and nothing else.
  std::string make_loader();
  /// How a process reaches this database as superuser over TCP: PGHOST, PGPORT, PGUSER, PGPASSWORD,
  /// PGDATABASE.
  std::map<std::string, std::string> environment() const;
  const std::string& name() const { return name_; }

  /// Backends of `sluice` in this database whose activity meets `condition`, such as "query LIKE
  /// 'COPY%'": waits for one, then ends them all.
  void terminate(const std::string& condition);

 private:
  const TestCluster* cluster_;
  std::string name_;
  std::vector<std::string> roles_;
  std::unique_ptr<TestSession> session_;
};

}  // namespace sluice
