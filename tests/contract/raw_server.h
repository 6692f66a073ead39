// SPDX-License-Identifier: Apache-2.0
// A server on 127.0.0.1 that does with a connection whatever a test wants, HTTP or not.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "job/base/failure.h"

namespace sluice {

class RawServer {
 public:
  class Connection {
   public:
    explicit Connection(int socket) : socket_(socket) {}
    /// A request, head and body; empty when there is none any more.
    std::string request() {
      std::string text;
      while (true) {
        const std::size_t head = text.find("\r\n\r\n");
        if (head != std::string::npos && text.size() >= head + 4 + length_in(text)) return text;
        char bytes[65536];
        const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
        if (got <= 0) return "";
        text.append(bytes, static_cast<std::size_t>(got));
      }
    }
    /// False when the client is gone.
    bool send(std::string_view text) const {
      while (!text.empty()) {
        const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
      }
      return true;
    }
    /// Returns when the client has closed.
    void hold() const {
      char byte = 0;
      while (::recv(socket_, &byte, 1, 0) > 0) {
      }
    }

   private:
    static std::size_t length_in(const std::string& text) {
      const std::size_t at = text.find("Content-Length: ");
      return at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
    }
    int socket_;
  };
  /// Called for each connection on a thread of its own; the connection closes when it returns.
  using Script = std::function<void(Connection&)>;

  explicit RawServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    require(::bind(listener_, any, size) == 0 && ::listen(listener_, 256) == 0, "cannot listen");
    ::getsockname(listener_, any, &size);
    endpoint_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    accepting_ = std::thread([this] { accept(); });
  }
  ~RawServer() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    for (auto& [socket, thread] : connections_) ::shutdown(socket, SHUT_RDWR);
    for (auto& [socket, thread] : connections_) {
      thread.join();
      ::close(socket);
    }
    ::close(listener_);
  }

  const std::string& endpoint() const { return endpoint_; }

 private:
  void accept() {
    while (true) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) return;
      connections_.emplace_back(socket, std::thread([this, socket] {
                                  Connection connection(socket);
                                  script_(connection);
                                  ::shutdown(socket, SHUT_RDWR);
                                }));
    }
  }

  Script script_;
  int listener_ = -1;
  std::string endpoint_;
  std::list<std::pair<int, std::thread>> connections_;  // of the accepting thread
  std::thread accepting_;
};

inline std::string http_answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
inline std::string error_answer(int status, const std::string& code) {
  return http_answer(status, R"({"__type":"com.amazonaws.sqs#)" + code + R"("})");
}

}  // namespace sluice
