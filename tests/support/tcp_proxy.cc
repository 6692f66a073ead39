// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tcp_proxy.h"

#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice {
namespace {

// PostgreSQL documentation, "Message Formats": the codes of the messages that have no type.
constexpr std::uint32_t kSslRequest = 80'877'103;
constexpr std::uint32_t kGssRequest = 80'877'104;
constexpr std::uint32_t kCancelRequest = 80'877'102;

sockaddr_in local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return number;
}

/// False when nobody is there to take it.
bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

int connect_to(std::uint16_t port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = local(port);
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return made;
  }
  ::close(made);
  return -1;
}

}  // namespace

bool TcpProxy::Message::asks_for(std::string_view sql) const {
  if (!from_client || bytes.empty() || (bytes[0] != 'Q' && bytes[0] != 'P')) return false;
  const std::size_t text = bytes[0] == 'Q' ? 5 : 6;  // behind the empty name of what is parsed
  return bytes.size() >= text && bytes.substr(text).starts_with(sql);
}

TcpProxy::TcpProxy(const std::string& server_port)
    : server_port_(static_cast<std::uint16_t>(std::stoul(server_port))),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = local(0);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener_, any, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, any, &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = std::to_string(ntohs(address.sin_port));
  pass_everything();
  accepting_ = std::thread([this] { accept(); });
}

TcpProxy::~TcpProxy() {
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (Connection& connection : connections_) {
      cut(connection);
      ::shutdown(connection.server, SHUT_RDWR);
    }
  }
  changed_.notify_all();
  for (Connection& connection : connections_) {
    connection.to_server.join();
    connection.to_client.join();
    ::close(connection.client);
    ::close(connection.server);
  }
  ::close(listener_);
}

void TcpProxy::set_rule(Rule rule) {
  {
    const std::lock_guard lock(mutex_);
    rule_ = std::move(rule);
    ++rule_number_;
    refusing_ = false;
  }
  changed_.notify_all();
}

void TcpProxy::pass_everything() {
  set_rule([](const Message&) { return Act::pass; });
}

void TcpProxy::stall_everything() {
  set_rule([](const Message&) { return Act::stall; });
}

void TcpProxy::refuse_everything() {
  set_rule([](const Message&) { return Act::cut_before; });
  const std::lock_guard lock(mutex_);
  refusing_ = true;
  for (Connection& connection : connections_) cut(connection);
}

void TcpProxy::accept() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const std::lock_guard lock(mutex_);
    const int server = refusing_ ? -1 : connect_to(server_port_);
    if (server < 0) {
      ::close(client);
      continue;
    }
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection& made = connections_.emplace_back();
    made.client = client;
    made.server = server;
    made.to_server = std::thread([this, &made] { pump(made, true); });
    made.to_client = std::thread([this, &made] { pump(made, false); });
  }
}

void TcpProxy::pump(Connection& connection, bool from_client) {
  const int source = from_client ? connection.client : connection.server;
  std::string bytes;
  char piece[65536];
  // A server that was cut off is still read to its end: it would be reset with answers unread, and
  // might not see what it was sent before.
  while (true) {
    const ssize_t got = ::recv(source, piece, sizeof piece, 0);
    if (got <= 0) break;
    bytes.append(piece, static_cast<std::size_t>(got));
    std::size_t at = 0;
    while (const std::size_t size =
               message_in(connection, from_client, std::string_view(bytes).substr(at))) {
      const bool passed =
          forward(connection, from_client, std::string_view(bytes).substr(at, size));
      if (!passed && from_client) return;
      at += size;
    }
    bytes.erase(0, at);
  }
  const std::lock_guard lock(mutex_);
  cut(connection);
}

bool TcpProxy::forward(Connection& connection, bool from_client, std::string_view message) {
  std::unique_lock lock(mutex_);
  Act act = Act::pass;
  while (!connection.cut) {
    const std::uint64_t asked = rule_number_;
    act = rule_({from_client, message});
    if (act != Act::stall || closing_) break;
    changed_.wait(lock, [&] { return rule_number_ != asked || connection.cut; });
  }
  if (connection.cut) return false;
  if (act == Act::cut_before) {
    cut(connection);
    return false;
  }
  // Before it is sent: the answer may be here sooner than this thread is again.
  if (act == Act::cut_after) connection.cut = true;
  lock.unlock();  // it may take its time
  const bool sent = send_all(from_client ? connection.server : connection.client, message);
  lock.lock();
  if (act == Act::cut_after) cut(connection);
  return sent && !connection.cut;
}

/// The size of the first message in `bytes`; 0 when it is not there yet.
std::size_t TcpProxy::message_in(Connection& connection, bool from_client, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes.empty()) return 0;
  if (!from_client && connection.byte_expected) {
    connection.byte_expected = false;
    return 1;
  }
  const std::size_t type = from_client && !connection.started ? 0 : 1;
  if (bytes.size() < type + 4) return 0;
  const std::size_t size = type + number_at(bytes, type);
  if (bytes.size() < size) return 0;
  if (type == 0) {
    const std::uint32_t code = number_at(bytes, 4);
    connection.byte_expected = code == kSslRequest || code == kGssRequest;
    connection.started = !connection.byte_expected && code != kCancelRequest;
  }
  return size;
}

/// The server reads what was sent to it to its end.
void TcpProxy::cut(Connection& connection) {
  connection.cut = true;
  ::shutdown(connection.server, SHUT_WR);
  ::shutdown(connection.client, SHUT_RDWR);
}

}  // namespace sluice
