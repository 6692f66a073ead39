// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <libpq-fe.h>
#include <unistd.h>

#include "job/base/encoding.h"
#include "job/base/random.h"

namespace sluice {
namespace {

std::map<std::string, std::string> read_env(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    throw std::runtime_error("no cluster: '" + path +
                             "' is missing; see tests/support/postgres.sh");
  std::map<std::string, std::string> values;
  for (std::string line; std::getline(file, line);) {
    const auto equals = line.find('=');
    values[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return values;
}

std::string unique_name(const std::string& prefix) {
  const auto bits = random_128();
  return prefix + to_hex({reinterpret_cast<const char*>(bits.data()), 6});
}

void run_command(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace

void TestSession::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

TestSession::TestSession(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  run("SET synchronous_commit = local");  // a test itself never waits for a standby
}

std::vector<Row> TestSession::rows(const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()),
                                                             PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(sql + ": " + PQresultErrorMessage(result.get()));
  }
  std::vector<Row> rows(static_cast<std::size_t>(PQntuples(result.get())));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      rows[row].emplace_back(PQgetvalue(result.get(), static_cast<int>(row), column));
    }
  }
  return rows;
}

std::string TestSession::value(const std::string& sql) {
  const std::vector<Row> answer = rows(sql);
  if (answer.size() != 1 || answer[0].size() != 1)
    throw std::runtime_error(sql + ": not one value");
  return answer[0][0];
}

void TestSession::wait_until(const std::string& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (value("SELECT (" + condition + ")::text") != "true") {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("never true: " + condition);
    run("SELECT pg_sleep(0.005)");
  }
}

TestCluster::TestCluster(const std::string& env_file) : values_(read_env(env_file)) {}

const TestCluster& TestCluster::shared() {
  const char* path = std::getenv("SLUICE_TEST_POSTGRES");
  static const TestCluster cluster(path == nullptr ? "$SLUICE_TEST_POSTGRES" : path);
  return cluster;
}

std::string TestCluster::conninfo(const std::string& database, const std::string& user) const {
  return "host=" + value("SLUICE_POSTGRES_SOCKET") + " port=" + value("PGPORT") + " user=" + user +
         " dbname=" + database;
}

OwnCluster::OwnCluster(const std::string& source)
    : OwnCluster(source, " start ", " --owner " + std::to_string(getpid())) {}

OwnCluster::OwnCluster(const std::string& source, const std::string& before,
                       const std::string& after)
    : OwnCluster(source + "/tests/support/postgres.sh",
                 (std::filesystem::temp_directory_path() / unique_name("sluice-env-")).string(),
                 before, after) {}

OwnCluster::OwnCluster(const std::string& script, const std::string& env_file,
                       const std::string& before, const std::string& after)
    : TestCluster((run_command(script + before + env_file + after), env_file)),
      script_(script),
      env_file_(env_file) {}

OwnCluster::~OwnCluster() {
  [[maybe_unused]] const int status = std::system((script_ + " stop " + env_file_).c_str());
}

void OwnCluster::halt(const std::string& mode) const {
  run_command(script_ + " halt " + env_file_ + " " + mode);
}

void OwnCluster::resume() const { run_command(script_ + " resume " + env_file_); }

StandbyCluster::StandbyCluster(const std::string& source, const TestCluster& primary,
                               const std::string& port)
    : OwnCluster(source, " follow ",
                 " " + port + " " + std::to_string(getpid()) + " " + primary.value("PGPASSWORD")) {}

void StandbyCluster::promote() const {
  TestSession session(conninfo("postgres"));
  session.run("SELECT pg_promote()");
}

TestDatabase::TestDatabase(const TestCluster& cluster)
    : cluster_(&cluster), name_(unique_name("test_")) {
  TestSession(cluster_->conninfo("postgres")).run("CREATE DATABASE " + name_);
  session_ = std::make_unique<TestSession>(conninfo());
}

TestDatabase::~TestDatabase() {
  session_.reset();
  try {
    TestSession admin(cluster_->conninfo("postgres"));
    admin.run("DROP DATABASE " + name_ + " WITH (FORCE)");
    for (const std::string& role : roles_) admin.run("DROP ROLE " + role);
  } catch (const std::exception&) {  // the cluster goes as a whole soon
  }
}

void TestDatabase::move_to(const TestCluster& cluster) {
  cluster_ = &cluster;
  session_ = std::make_unique<TestSession>(conninfo());
}

std::string TestDatabase::make_loader() {
  roles_.push_back(unique_name("loader_"));
  run("CREATE ROLE " + roles_.back() + " LOGIN; GRANT sluice_loader TO " + roles_.back());
  return roles_.back();
}

std::map<std::string, std::string> TestDatabase::environment() const {
  std::map<std::string, std::string> values;
  for (const char* key : {"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD"})
    values[key] = cluster_->value(key);
  values["PGDATABASE"] = name_;
  return values;
}

void TestDatabase::terminate(const std::string& condition) {
  const std::string those =
      " FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sluice' "
      "AND (" +
      condition + ")";
  wait_until("SELECT count(*) > 0" + those);
  run("SELECT pg_terminate_backend(pid)" + those);
}

}  // namespace sluice
