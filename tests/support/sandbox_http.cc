// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_http.h"

#include <array>
#include <atomic>
#include <ctime>
#include <list>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr std::size_t kLargestHead = 64 << 10;
constexpr std::size_t kLargestBody = 64 << 20;
constexpr std::size_t kPieces = 16;  // of a body that trickles
constexpr std::string_view kEndOfLine = "\r\n";
constexpr std::string_view kEndOfHead = "\r\n\r\n";

/// Of the statuses that the sandboxes answer with; clients look at the number alone.
std::string_view reason_of(int status) {
  return status < 300 ? "OK" : status < 500 ? "Refused" : "Failed";
}

/// One client. Blocking calls only; another thread may shut the socket down.
class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void shut() { ::shutdown(socket_, SHUT_RDWR); }

  /// The next request; null when the client is gone, or what it sends is not understood.
  const SandboxRequest* read() {
    std::size_t head = 0;
    for (std::size_t seen = 0; (head = buffer_.find(kEndOfHead, seen)) == std::string::npos;) {
      seen = buffer_.size() < 3 ? 0 : buffer_.size() - 3;
      if (buffer_.size() > kLargestHead || !read_more()) return nullptr;
    }
    if (!parse_head(std::string_view(buffer_).substr(0, head))) return nullptr;
    const auto length = parse_integer<std::size_t>(request_.header("content-length"));
    const std::size_t size = length.value_or(0);
    if (size > kLargestBody || !request_.header("transfer-encoding").empty()) return nullptr;
    const std::size_t end = head + kEndOfHead.size() + size;
    if (buffer_.size() < end && request_.header("expect") == "100-continue" &&
        !write("HTTP/1.1 100 Continue\r\n\r\n")) {
      return nullptr;
    }
    while (buffer_.size() < end) {
      if (!read_more()) return nullptr;
    }
    request_.body.assign(buffer_, head + kEndOfHead.size(), size);
    buffer_.erase(0, end);
    return &request_;
  }

  /// False when the connection has to end.
  bool answer(const SandboxAnswer& answer, const std::atomic<bool>& stopping) {
    const bool keep = lower_ascii(request_.header("connection")) != "close";
    answer_.assign("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
    answer_.append(reason_of(answer.status)).append(kEndOfLine);
    for (const auto& [name, value] : answer.headers) {
      answer_.append(name).append(": ").append(value).append(kEndOfLine);
    }
    answer_.append("Content-Length: ").append(std::to_string(answer.body.size()));
    answer_.append(keep ? kEndOfHead : "\r\nConnection: close\r\n\r\n");
    if (answer.trickle.count() == 0) return write(answer_.append(answer.body)) && keep;

    bool written = write(answer_);
    const std::size_t step = std::max<std::size_t>(1, answer.body.size() / kPieces);
    for (std::size_t at = 0; at < answer.body.size() && written && !stopping; at += step) {
      std::this_thread::sleep_for(answer.trickle);
      written = write(std::string_view(answer.body).substr(at, step));
    }
    return written && keep;
  }

 private:
  bool read_more() {
    const ssize_t got = ::recv(socket_, piece_.data(), piece_.size(), 0);
    if (got > 0) buffer_.append(piece_.data(), static_cast<std::size_t>(got));
    return got > 0;
  }

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  bool parse_head(std::string_view head) {
    const std::string_view first = take_line(head);
    const std::size_t space = first.find(' ');
    const std::size_t version = first.rfind(" HTTP/1.1");
    if (space == std::string_view::npos || version == std::string_view::npos || version < space) {
      return false;
    }
    request_.method = first.substr(0, space);
    request_.target = version == space ? "" : first.substr(space + 1, version - space - 1);
    std::size_t count = 0;
    while (!head.empty()) {
      const std::string_view line = take_line(head);
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) return false;
      if (count == request_.headers.size()) request_.headers.emplace_back();
      auto& [name, value] = request_.headers[count++];
      name = lower_ascii(line.substr(0, colon));
      value = trim_ascii(line.substr(colon + 1));
    }
    request_.headers.resize(count);
    return true;
  }

  static std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.size(), text.find(kEndOfLine));
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + kEndOfLine.size()));
    return line;
  }

  int socket_;
  std::array<char, 16 << 10> piece_;
  std::string buffer_;      // read, and not yet a request
  SandboxRequest request_;  // this and the next are kept for their room
  std::string answer_;
};

}  // namespace

std::string http_date(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  return {text.data(),
          std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

class SandboxHttp::Impl {
 public:
  explicit Impl(Handler handler) : handler_(std::move(handler)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    require(listener_ >= 0 && ::bind(listener_, any, size) == 0 &&
                ::listen(listener_, SOMAXCONN) == 0 && ::getsockname(listener_, any, &size) == 0,
            "a free port of 127.0.0.1");
    port_ = ntohs(address.sin_port);
  }

  ~Impl() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);  // closing would not wake the accept
    accepting_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (Served& served : served_) {
        if (served.connection) served.connection->shut();
      }
    }
    for (Served& served : served_) served.thread.join();
  }

  void start() {
    accepting_ = std::thread([this] { accept(); });
  }
  std::uint16_t port() const { return port_; }
  std::uint64_t accepted() const { return accepted_; }

 private:
  struct Served {
    std::unique_ptr<Connection> connection;  // none when it has ended
    std::thread thread;
  };

  void accept() {
    while (!stopping_) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      ++accepted_;
      const int on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::lock_guard lock(mutex_);
      bury_the_done();
      Served& served = served_.emplace_back(Served{std::make_unique<Connection>(socket), {}});
      served.thread = std::thread([this, &served] { serve(served); });
    }
  }

  void bury_the_done() {
    std::erase_if(served_, [](Served& served) {
      if (!served.connection) served.thread.join();
      return !served.connection;
    });
  }

  void serve(Served& served) {
    Connection& connection = *served.connection;
    while (!stopping_) {
      const SandboxRequest* const request = connection.read();
      if (request == nullptr) break;
      const std::optional<SandboxAnswer> answer = handler_(*request);
      if (!answer || !connection.answer(*answer, stopping_)) break;
    }
    const std::lock_guard lock(mutex_);
    served.connection.reset();
  }

  Handler handler_;
  int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> accepted_{0};
  std::mutex mutex_;
  std::list<Served> served_;
  std::thread accepting_;  // last: it uses the rest
};

SandboxHttp::SandboxHttp(Handler handler) : impl_(std::make_unique<Impl>(std::move(handler))) {
  impl_->start();  // only now: a handler may ask us for the port
}
SandboxHttp::~SandboxHttp() = default;
std::uint16_t SandboxHttp::port() const { return impl_->port(); }
std::uint64_t SandboxHttp::accepted() const { return impl_->accepted(); }

}  // namespace sluice
