// SPDX-License-Identifier: Apache-2.0
// Stands between a client and Postgres, looks at each message of the protocol, and passes it on,
// keeps it or cuts the connection, as a test says.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace sluice {

class TcpProxy {
 public:
  struct Message {
    bool from_client = false;
    std::string_view bytes;  // whole, with its type and its length
    /// For a statement that begins with this.
    bool asks_for(std::string_view sql) const;
  };
  enum class Act {
    pass,
    cut_before,  // the connection ends, and the message never arrives
    cut_after,   // it arrives, and then the connection ends; what is answered to it is lost
    stall        // it waits, and what comes behind it too, until another rule lets it go
  };
  /// Asked about one message at a time, of whichever connection.
  using Rule = std::function<Act(const Message&)>;

  /// To a server on 127.0.0.1; listens there too.
  explicit TcpProxy(const std::string& server_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  const std::string& port() const { return port_; }
  void set_rule(Rule rule);
  void pass_everything();
  void stall_everything();
  /// Cuts what there is, and whatever comes, until `pass_everything`.
  void refuse_everything();

 private:
  struct Connection {
    int client = -1;
    int server = -1;
    bool started = false;        // from here on the client's messages have a type
    bool byte_expected = false;  // the server answers one byte: whether it encrypts
    bool cut = false;
    std::thread to_server{};
    std::thread to_client{};
  };

  void accept();
  void pump(Connection& connection, bool from_client);
  /// False when the connection is cut.
  bool forward(Connection& connection, bool from_client, std::string_view message);
  std::size_t message_in(Connection& connection, bool from_client, std::string_view bytes);
  static void cut(Connection& connection);

  std::uint16_t server_port_;
  std::string port_;
  int listener_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  Rule rule_;
  std::uint64_t rule_number_ = 0;
  bool refusing_ = false;
  bool closing_ = false;
  std::list<Connection> connections_;
  std::thread accepting_;
};

}  // namespace sluice
