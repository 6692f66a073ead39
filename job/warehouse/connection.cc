// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/connection.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include <libpq-fe.h>
#include <poll.h>

#include "job/base/clock.h"

namespace sluice {

struct Connection::Wait {
  std::string doing;
  std::int64_t until_ms;
  bool may_cancel;
};

Connection::Connection(const std::string& conninfo, const Interrupt& interrupt,
                       std::int64_t connect_limit_ms)
    : interrupt_(interrupt) {
  const std::vector<ConnectionOptions> hosts = connection_options(conninfo);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    try {
      connect(hosts[i], std::min(connect_limit_ms, connect_timeout_ms(hosts[i])));
      break;
    } catch (const PostgresError&) {
      close();
      if (i + 1 == hosts.size()) throw;
    }
  }
}

Connection::~Connection() { close(); }

void Connection::connect(const ConnectionOptions& options, std::int64_t limit_ms) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : options) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = PQconnectStartParams(keywords.data(), values.data(), 0);
  if (connection_ == nullptr) throw std::bad_alloc();

  const auto or_default = [](const char* text) { return std::string(text == nullptr ? "" : text); };
  place_ = {or_default(PQhost(connection_)), or_default(PQport(connection_)),
            or_default(PQdb(connection_))};
  PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);  // for connect_error
  PQsetNoticeReceiver(
      connection_,
      [](void* self, const PGresult* notice) {
        const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
        if (severity != nullptr && std::string_view(severity) == "WARNING") {
          ++static_cast<Connection*>(self)->warnings_;
        }
      },
      this);

  const Wait wait = begin("connecting", limit_ms, false);
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (PQstatus(connection_) != CONNECTION_BAD && next != PGRES_POLLING_OK &&
         next != PGRES_POLLING_FAILED) {
    poll(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, wait);
    next = PQconnectPoll(connection_);
  }
  if (PQstatus(connection_) != CONNECTION_OK) throw connect_error(connection_, wait.doing);
  PQsetnonblocking(connection_, 1);
}

Result Connection::execute(const std::string& sql, std::string_view doing, std::int64_t limit_ms) {
  const Wait wait = begin(doing, limit_ms);
  send(PQsendQuery(connection_, sql.c_str()), wait);
  return finish(wait);
}

Result Connection::query(const std::string& sql, std::span<const Parameter> parameters,
                         std::string_view doing, Format format, std::int64_t limit_ms) {
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
  for (const Parameter& parameter : parameters) {
    types.push_back(parameter.oid);
    values.push_back(parameter.null ? nullptr : parameter.bytes.c_str());
    lengths.push_back(static_cast<int>(parameter.bytes.size()));
    formats.push_back(parameter.binary ? 1 : 0);
  }
  const Wait wait = begin(doing, limit_ms);
  send(PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(parameters.size()),
                         types.data(), values.data(), lengths.data(), formats.data(),
                         format == Format::binary ? 1 : 0),
       wait);
  return finish(wait);
}

bool Connection::commit(std::int64_t limit_ms) {
  // Never cancelled: that would end the wait for a synchronous standby and show rows that it does
  // not have.
  const Wait wait = begin("committing", limit_ms, false);
  warnings_ = 0;
  send(PQsendQuery(connection_, "COMMIT"), wait);
  return finish(wait).tag() == "COMMIT" && warnings_ == 0;
}

void Connection::begin_copy(const std::string& sql, std::string_view doing) {
  const Result result = execute(sql, doing);
  require(PQresultStatus(result.get()) == PGRES_COPY_IN, "a COPY that takes no data");
  spoken_ = false;
}

bool Connection::put_copy(std::string_view chunk, std::string_view doing) {
  const Wait wait = begin(doing, kStatementLimitMs);
  int status = 0;
  while ((status = PQputCopyData(connection_, chunk.data(), static_cast<int>(chunk.size()))) == 0) {
    poll(POLLOUT, wait);
  }
  // libpq would take any amount into its buffer; only a flush to the end keeps memory bounded.
  if (status > 0) flush(wait);
  if (!spoken_) {
    pollfd look{PQsocket(connection_), POLLIN, 0};
    spoken_ = ::poll(&look, 1, 0) > 0;
  }
  return status > 0 && !spoken_;
}

std::uint64_t Connection::end_copy(std::string_view doing) {
  const Wait wait = begin(doing, kStatementLimitMs);
  while (PQputCopyEnd(connection_, nullptr) == 0) poll(POLLOUT, wait);
  flush(wait);
  return finish(wait).changed();
}

Connection::Wait Connection::begin(std::string_view doing, std::int64_t limit_ms,
                                   bool may_cancel) const {
  require(connection_ != nullptr, "a statement on a closed connection");
  return {std::string(doing) + ": Postgres database " + place_.database + " at " + place_.host +
              ":" + place_.port,
          now().steady_ms + limit_ms, may_cancel};
}

short Connection::poll(short events, const Wait& wait) {
  for (;;) {
    const std::int64_t left = wait.until_ms - now().steady_ms;
    if (left <= 0) give_up(wait, "no answer in time");
    std::array<pollfd, 2> fds = {
        {{PQsocket(connection_), events, 0}, {interrupt_.fd(), POLLIN, 0}}};
    const int ready =
        ::poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready < 0 && errno != EINTR) give_up(wait, "poll failed");
    if (ready <= 0) continue;
    if (fds[1].revents != 0) give_up(wait, "interrupted");
    return fds[0].revents;
  }
}

void Connection::send(int status, const Wait& wait) {
  if (status == 0) give_up(wait, "connection lost");
  flush(wait);
}

void Connection::flush(const Wait& wait) {
  // What the server says meanwhile is read, or both sides could wait for the other. When it has
  // hung up, `finish` finds its last words.
  while (PQflush(connection_) == 1) {
    if ((poll(POLLIN | POLLOUT, wait) & ~POLLOUT) == 0) continue;
    spoken_ = true;
    if (PQconsumeInput(connection_) == 0) return;
  }
}

Result Connection::finish(const Wait& wait) {
  Result last(nullptr);
  std::optional<PostgresError> error;  // the first: the loss of the connection may follow its cause
  for (;;) {
    while (PQisBusy(connection_) != 0) {
      poll(POLLIN, wait);
      if (PQconsumeInput(connection_) == 0) break;
    }
    Result result(PQgetResult(connection_));
    if (result.get() == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN) return result;
    if ((status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) && !error) {
      error = statement_error(result.get(), wait.doing);
    }
    last = std::move(result);
  }
  if (PQstatus(connection_) == CONNECTION_BAD) {
    close();
    if (!error) error = lost(wait.doing, "connection lost");
  }
  if (error) throw *error;
  return last;
}

void Connection::give_up(const Wait& wait, std::string_view cause) {
  if (wait.may_cancel) cancel();
  close();
  throw lost(wait.doing, cause);
}

/// PQcancel blocks without a limit of its own, so it gets a thread that is left behind when the
/// server is stuck.
void Connection::cancel() noexcept try {
  if (PQtransactionStatus(connection_) != PQTRANS_ACTIVE) return;
  std::packaged_task<void()> task([cancel = PQgetCancel(connection_)] {
    std::array<char, 256> ignored{};
    PQcancel(cancel, ignored.data(), ignored.size());
    PQfreeCancel(cancel);
  });
  const std::future<void> done = task.get_future();
  std::thread(std::move(task)).detach();
  done.wait_for(std::chrono::seconds(1));
} catch (const std::exception&) {  // no thread to be had: closing the connection must do
}

void Connection::close() noexcept {
  PQfinish(connection_);
  connection_ = nullptr;
}

}  // namespace sluice
