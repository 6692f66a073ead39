// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/connection.h"

#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/postgres.h"

namespace sluice {
namespace {

const Interrupt kNever;

Failure refused(const std::string& conninfo) {
  try {
    Connection connection(conninfo, kNever);
  } catch (const Failure& failure) {
    return failure;
  }
  throw std::runtime_error("it connected");
}

std::string tcp(const std::string& rest) {
  return "host=127.0.0.1 port=" + TestCluster::shared().value("PGPORT") + " " + rest;
}

/// Takes connections and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, generic, size) != 0 || listen(socket_, 8) != 0 ||
        getsockname(socket_, generic, &size) != 0) {
      throw std::runtime_error("no silent server");
    }
    port_ = std::to_string(ntohs(address.sin_port));
  }
  ~SilentServer() { close(socket_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  const std::string& port() const { return port_; }

 private:
  int socket_;
  std::string port_;
};

TEST(Connection, what_the_server_says_decides_the_fault) {
  TestDatabase db;
  const Failure password = refused(tcp("user=postgres password=wrong dbname=" + db.name()));
  EXPECT_EQ(password.fault(), Fault::rights);
  EXPECT_NE(password.message().find("28P01"), std::string::npos);
  EXPECT_EQ(password.message().find("wrong"), std::string::npos);
  const Failure none = refused(tcp("user=postgres passfile=/nowhere dbname=" + db.name()));
  EXPECT_EQ(none.fault(), Fault::rights);
  EXPECT_EQ(refused(db.conninfo("nobody_at_all")).fault(), Fault::rights);
  const Failure database = refused(TestCluster::shared().conninfo("no_such_database"));
  EXPECT_EQ(database.fault(), Fault::configuration);
  EXPECT_NE(database.message().find("no_such_database"), std::string::npos);
  EXPECT_EQ(refused("host=127.0.0.1 port=1").fault(), Fault::temporary);
  EXPECT_EQ(refused("host=/nowhere").fault(), Fault::temporary);
}

TEST(Connection, a_malformed_string_is_not_repeated) {
  const Failure failure = refused("password=hidden-word host");
  EXPECT_EQ(failure.fault(), Fault::usage);
  EXPECT_EQ(failure.message().find("hidden-word"), std::string::npos);
}

TEST(Connection, a_silent_host_does_not_keep_it_from_the_next) {
  const SilentServer silent;
  const TestCluster& cluster = TestCluster::shared();
  Connection connection("host=127.0.0.1," + cluster.value("SLUICE_POSTGRES_SOCKET") +
                            " port=" + silent.port() + "," + cluster.value("PGPORT") +
                            " user=postgres dbname=postgres connect_timeout=1",
                        kNever);
  EXPECT_EQ(connection.execute("SELECT 1", "testing").number_at(0, 0), 1);
}

TEST(Connection, an_interrupt_ends_the_wait_for_a_silent_host) {
  const SilentServer silent;
  Interrupt interrupt;
  interrupt.raise();
  EXPECT_THROW(Connection("host=127.0.0.1 port=" + silent.port(), interrupt), PostgresError);
}

TEST(Connection, the_users_settings_win_over_our_defaults) {
  TestDatabase db;
  const std::string shown =
      "SELECT current_setting('application_name') || ' ' || current_setting('client_encoding')";
  Connection ours(db.conninfo(), kNever);
  EXPECT_EQ(ours.execute(shown, "testing").at(0, 0), "sluice UTF8");
  Connection theirs(db.conninfo() + " application_name=nightly client_encoding=LATIN1", kNever);
  EXPECT_EQ(theirs.execute(shown, "testing").at(0, 0), "nightly UTF8");
}

TEST(Connection, a_standby_or_read_only_server_is_temporary) {
  TestDatabase db;
  db.run("ALTER DATABASE " + db.name() + " SET default_transaction_read_only = on");
  EXPECT_EQ(refused(db.conninfo()).fault(), Fault::temporary);
}

TEST(Connection, commit_is_believed_only_by_its_tag_and_without_a_warning) {
  TestDatabase db;
  Connection connection(db.conninfo(), kNever);
  connection.execute("BEGIN", "testing");
  EXPECT_TRUE(connection.commit(10'000));
  connection.execute("BEGIN", "testing");
  EXPECT_THROW(connection.execute("SELECT 1 / 0", "testing"), PostgresError);
  EXPECT_FALSE(connection.commit(10'000));  // it says ROLLBACK
  EXPECT_FALSE(
      connection.commit(10'000));  // there is no transaction: it says COMMIT, with a warning
}

TEST(Connection, a_statement_that_takes_too_long_is_given_up_and_cancelled) {
  TestDatabase db;
  Connection connection(db.conninfo(), kNever);
  EXPECT_THROW(connection.execute("SELECT pg_sleep(600)", "testing", 50), PostgresError);
  db.wait_until("(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) = 1");
}

TEST(Connection, no_message_holds_a_value_of_a_row) {
  TestDatabase db;
  db.run("CREATE TABLE t (n integer PRIMARY KEY, name varchar(3)); INSERT INTO t VALUES (4711)");
  Connection connection(db.conninfo(), kNever);
  for (const char* sql :
       {"INSERT INTO t VALUES (4711)", "INSERT INTO t VALUES (1, 'hidden-word')",
        "SELECT 'hidden-word'::integer", "DO $$BEGIN RAISE EXCEPTION 'hidden-word'; END$$"}) {
    try {
      connection.execute(sql, "testing");
      FAIL();
    } catch (const PostgresError& error) {
      EXPECT_EQ(error.message().find("hidden-word"), std::string::npos);
      EXPECT_EQ(error.message().find("4711"), std::string::npos);
      EXPECT_NE(error.message().find("SQLSTATE"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace sluice
