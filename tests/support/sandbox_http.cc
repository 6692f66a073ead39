// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_http.h"

#include <array>
#include <atomic>
#include <ctime>
#include <list>
#include <mutex>
#include <thread>

// Only blocking calls here: Asio needs no fences, of which ThreadSanitizer knows nothing.
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <sys/socket.h>

#include "job/base/text.h"

namespace sluice {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::uint64_t kLargestBody = 64 << 20;
constexpr std::size_t kPieces = 16;  // of a body that trickles

SandboxRequest plain(http::request<http::string_body>&& request) {
  SandboxRequest plain{std::string(request.method_string()), std::string(request.target()), {}, {}};
  for (const auto& field : request) {
    plain.headers.emplace_back(lower_ascii(std::string_view(field.name_string())), field.value());
  }
  plain.body = std::move(request.body());
  return plain;
}

http::response<http::string_body> rendered(SandboxAnswer&& answer) {
  http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
  for (const auto& [name, value] : answer.headers) response.set(name, value);
  response.body() = std::move(answer.body);
  response.prepare_payload();
  return response;
}

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
  explicit Impl(Handler handler)
      : handler_(std::move(handler)),
        acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()),
        accepting_([this] { accept(); }) {}

  ~Impl() {
    stopping_ = true;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);  // closing would not wake the accept
    accepting_.join();
    {
      const std::lock_guard lock(mutex_);
      for (Connection& connection : connections_) {
        if (!connection.done) ::shutdown(connection.socket.native_handle(), SHUT_RDWR);
      }
    }
    for (Connection& connection : connections_) connection.thread.join();
  }

  std::uint16_t port() const { return port_; }

 private:
  struct Connection {
    explicit Connection(tcp::socket&& accepted) : socket(std::move(accepted)) {}
    tcp::socket socket;
    std::thread thread;
    bool done = false;
  };

  void accept() {
    while (!stopping_) {
      boost::system::error_code error;
      tcp::socket socket = acceptor_.accept(error);
      if (error) continue;
      socket.set_option(tcp::no_delay(true), error);
      const std::lock_guard lock(mutex_);
      bury_the_done();
      Connection& connection = connections_.emplace_back(std::move(socket));
      connection.thread = std::thread([this, &connection] { serve(connection); });
    }
  }

  void bury_the_done() {
    std::erase_if(connections_, [](Connection& connection) {
      if (connection.done) connection.thread.join();
      return connection.done;
    });
  }

  void serve(Connection& connection) {
    boost::beast::flat_buffer buffer;
    while (!stopping_ && converse(connection.socket, buffer)) {
    }
    const std::lock_guard lock(mutex_);
    boost::system::error_code ignored;
    connection.socket.close(ignored);
    connection.done = true;
  }

  /// One request and its answer; false when the connection has to end.
  bool converse(tcp::socket& socket, boost::beast::flat_buffer& buffer) {
    boost::system::error_code error;
    http::request_parser<http::string_body> parser;
    parser.body_limit(kLargestBody);
    http::read_header(socket, buffer, parser, error);
    if (error) return false;
    if (parser.get()[http::field::expect] == "100-continue") {
      asio::write(socket, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), error);
    }
    http::read(socket, buffer, parser, error);
    if (error) return false;
    const bool keep = parser.get().keep_alive();
    std::optional<SandboxAnswer> answer = handler_(plain(parser.release()));
    if (!answer) return false;
    const auto trickle = answer->trickle;
    auto response = rendered(std::move(*answer));
    response.keep_alive(keep);
    write(socket, response, trickle, error);
    return keep && !error;
  }

  void write(tcp::socket& socket, const http::response<http::string_body>& response,
             std::chrono::milliseconds trickle, boost::system::error_code& error) {
    http::response_serializer<http::string_body> serializer(response);
    if (trickle == std::chrono::milliseconds(0)) {
      http::write(socket, serializer, error);
      return;
    }
    http::write_header(socket, serializer, error);
    const std::string& body = response.body();
    const std::size_t step = std::max<std::size_t>(1, body.size() / kPieces);
    for (std::size_t at = 0; at < body.size() && !error && !stopping_; at += step) {
      std::this_thread::sleep_for(trickle);
      asio::write(socket, asio::buffer(std::string_view(body).substr(at, step)), error);
    }
  }

  Handler handler_;
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::list<Connection> connections_;
  std::thread accepting_;  // last: it uses the rest
};

SandboxHttp::SandboxHttp(Handler handler) : impl_(std::make_unique<Impl>(std::move(handler))) {}
SandboxHttp::~SandboxHttp() = default;
std::uint16_t SandboxHttp::port() const { return impl_->port(); }

}  // namespace sluice
