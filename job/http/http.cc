// SPDX-License-Identifier: Apache-2.0
#include "job/http/http.h"

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <utility>

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "job/base/clock.h"
#include "job/base/failure.h"
#include "job/base/text.h"
#include "job/http/url.h"

namespace sluice {
namespace {

// 128 receives, as many deletes, and extensions.
constexpr long kConnections = 288;
constexpr long kConnectTimeoutMs = 5000;
/// libcurl asks from 1 MiB on whether a body is welcome; each line that it is given costs a little.
constexpr std::size_t kExpectFrom = 1 << 19;
/// So many answers are taken together. What is read and not yet looked at leaves the processor's
/// cache (with 32, a quarter more misses of a cache of 1 MiB); one at a time, libcurl's code does.
constexpr std::size_t kAtOnce = 4;
constexpr std::size_t kUsualHead = 512;  // bytes of the header lines of an answer
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

constexpr std::array<std::string_view, 2> kIpv6Metadata = {"fd00:ec2::254", "fd00:ec2::23"};

bool bypasses_proxy(std::string_view origin) {
  const std::string_view host = bare_host(origin.substr(origin.find("://") + 3));
  return is_loopback(host) || is_link_local(host) ||
         std::find(kIpv6Metadata.begin(), kIpv6Metadata.end(), host) != kIpv6Metadata.end();
}

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
  require(curl_easy_setopt(easy, option, value) == CURLE_OK, "libcurl refused an option");
}

}  // namespace

/// One easy handle with what libcurl points at while it works. Reused, because it keeps its
/// buffers; and what the request before it set is not set again.
struct Http::Transfer {
  CURL* easy = curl_easy_init();
  HttpRequest request;
  HttpAnswer answer;
  std::size_t received = 0;
  bool active = false;
  char error[CURL_ERROR_SIZE] = "";

  Transfer(const HttpSettings& settings, Sockets& sockets) {
    require(easy != nullptr, "libcurl has no handle");
    set(easy, CURLOPT_PRIVATE, this);
    set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // a name that does not resolve must not hold up an end
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_PATH_AS_IS, 1L);
    set(easy, CURLOPT_TCP_NODELAY, 1L);
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    set(easy, CURLOPT_USERAGENT, settings.user_agent.c_str());
    if (!settings.ca_bundle.empty()) set(easy, CURLOPT_CAINFO, settings.ca_bundle.c_str());
    set(easy, CURLOPT_ERRORBUFFER, static_cast<char*>(error));
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    set(easy, CURLOPT_OPENSOCKETDATA, &sockets);
    set(easy, CURLOPT_CLOSESOCKETFUNCTION, &close_socket);
    set(easy, CURLOPT_CLOSESOCKETDATA, &sockets);
    set(easy, CURLOPT_WRITEFUNCTION, &take_body);
    set(easy, CURLOPT_WRITEDATA, this);
    set(easy, CURLOPT_HEADERFUNCTION, &take_header);
    set(easy, CURLOPT_HEADERDATA, this);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { curl_easy_cleanup(easy); }

  void prepare(std::uint64_t ticket, HttpRequest next) {
    request = std::move(next);
    answer = {};
    answer.ticket = ticket;
    answer.head.reserve(kUsualHead);
    received = 0;
    error[0] = '\0';
    set_headers();
    set_url();
    set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
    if (request.method == "GET") {
      set(easy, CURLOPT_HTTPGET, 1L);
    } else {
      set(easy, CURLOPT_POST, 1L);
      set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(easy, CURLOPT_POSTFIELDS, request.body.data());
    }
    const bool usual = request.method == "GET" || request.method == "POST";
    set(easy, CURLOPT_CUSTOMREQUEST, usual ? nullptr : request.method.c_str());
  }

  void finish(CURLcode result) {
    if (result == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      answer.status = static_cast<int>(status);
      return;
    }
    answer.body.clear();
    answer.head.clear();
    if (received > request.most_bytes) {
      answer.error = "the answer is larger than " +
                     format_bytes(static_cast<std::int64_t>(request.most_bytes));
    } else {
      answer.error = error[0] != '\0' ? error : curl_easy_strerror(result);
      answer.error.front() = lower_ascii(answer.error.substr(0, 1)).front();
    }
  }

 private:
  /// libcurl reads its list of lines and keeps none: the lines live here, the list points at them.
  void set_headers() {
    std::size_t count = 0;
    const auto add = [&](std::string_view name, std::string_view rest, std::string_view value) {
      if (count == lines_.size()) lines_.emplace_back();
      lines_[count++].assign(name).append(rest).append(value);
    };
    // A colon alone removes what libcurl would send of its own.
    if (request.body.size() >= kExpectFrom) add("Expect", ":", "");
    if (request.body.empty()) add("Content-Type", ":", "");
    for (const Header& header : request.headers) add(header.name, ": ", header.value);
    list_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      list_[i] = {lines_[i].data(), i + 1 < count ? &list_[i + 1] : nullptr};
    }
    set(easy, CURLOPT_HTTPHEADER, list_.data());
  }

  void set_url() {
    std::string url = request.origin + request.path;
    if (!request.query.empty()) url += "?" + request.query;
    if (url == url_) return;
    set(easy, CURLOPT_URL, url.c_str());
    set(easy, CURLOPT_PROXY, bypasses_proxy(request.origin) ? "" : nullptr);
    url_ = std::move(url);
  }

  static curl_socket_t open_socket(void* sockets, curlsocktype, curl_sockaddr* address) noexcept {
    const int opened =
        ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (opened >= 0) static_cast<Sockets*>(sockets)->opened(opened);
    return opened < 0 ? CURL_SOCKET_BAD : opened;
  }

  static int close_socket(void* sockets, curl_socket_t socket) noexcept {
    static_cast<Sockets*>(sockets)->closed(socket);
    return close(socket);
  }

  /// Nothing may be thrown through libcurl. Answering less than `count` fails the transfer.
  static std::size_t take_body(char* data, std::size_t, std::size_t count, void* self) noexcept {
    Transfer& transfer = *static_cast<Transfer*>(self);
    transfer.received += count;
    if (transfer.received > transfer.request.most_bytes) return 0;
    try {
      transfer.answer.body.append(data, count);
    } catch (const std::bad_alloc&) {
      return 0;
    }
    return count;
  }

  static std::size_t take_header(char* data, std::size_t, std::size_t count, void* self) noexcept {
    Transfer& transfer = *static_cast<Transfer*>(self);
    transfer.received += count;
    if (transfer.received > transfer.request.most_bytes) return 0;
    const std::string_view line(data, count);
    try {
      if (line.starts_with("HTTP/")) transfer.answer.head.clear();  // of a 100 or of a proxy
      transfer.answer.head.append(line);
    } catch (const std::bad_alloc&) {
      return 0;
    }
    return count;
  }

  std::string url_;
  std::vector<std::string> lines_;
  std::vector<curl_slist> list_;
};

std::string_view HttpAnswer::header(std::string_view name) const {
  for (std::string_view rest = head; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (lower_ascii(trim_ascii(line.substr(0, colon))) == name) {
      return trim_ascii(line.substr(colon + 1));
    }
  }
  return {};
}

std::optional<std::int64_t> HttpAnswer::date_ms() const {
  const std::string date(header("date"));
  const time_t seconds = date.empty() ? -1 : curl_getdate(date.c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return std::int64_t{seconds} * 1000;
}

void Http::CloseMulti::operator()(void* multi) const { curl_multi_cleanup(multi); }

Http::Http(const HttpSettings& settings) : settings_(settings) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  require(started == CURLE_OK, "libcurl does not start");
  multi_.reset(curl_multi_init());
  require(multi_ != nullptr, "libcurl has no handle");
  CURLM* const multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kConnections);
  constexpr auto kWatch = [](CURL*, curl_socket_t socket, int what, void* self, void*) {
    const bool readable = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    const bool writable = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    static_cast<Http*>(self)->sockets_.watch(socket, readable, writable);
    return 0;
  };
  constexpr auto kSetTimer = [](CURLM*, long in_ms, void* self) {
    static_cast<Http*>(self)->due_ms_ = in_ms < 0 ? kNever : now().steady_ms + in_ms;
    return 0;
  };
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, static_cast<curl_socket_callback>(kWatch));
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION,
                    static_cast<curl_multi_timer_callback>(kSetTimer));
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
}

Http::~Http() { abandon(); }

void Http::start(std::uint64_t ticket, HttpRequest request) {
  if (idle_.empty()) {
    transfers_.push_back(std::make_unique<Transfer>(settings_, sockets_));
    idle_.push_back(transfers_.back().get());
  }
  Transfer& transfer = *idle_.back();
  idle_.pop_back();
  transfer.prepare(ticket, std::move(request));
  transfer.active = true;
  require(curl_multi_add_handle(multi_.get(), transfer.easy) == CURLM_OK,
          "libcurl refused a request");
}

bool Http::wait(std::int64_t at_most_ms, std::vector<HttpAnswer>& answers) {
  const std::size_t before = answers.size();
  const std::int64_t end = now().steady_ms + at_most_ms;
  for (bool waited = false;;) {
    const std::int64_t current = now().steady_ms;
    if (current >= due_ms_) {
      due_ms_ = kNever;
      act(CURL_SOCKET_TIMEOUT, 0);
      collect(answers);
    }
    while (answers.size() < before + kAtOnce && !ready_.empty()) {
      act(ready_.front());
      ready_ = ready_.subspan(1);
      collect(answers);
    }
    if (answers.size() > before || (waited && current >= end)) return false;
    const std::int64_t until = std::max(current, std::min(end, due_ms_));
    ready_ = sockets_.wait(until - current);
    waited = true;
    if (sockets_.take_wake()) return true;
  }
}

void Http::act(const Sockets::Ready& ready) {
  act(ready.socket, (ready.readable ? CURL_CSELECT_IN : 0) |
                        (ready.writable ? CURL_CSELECT_OUT : 0) |
                        (ready.failed ? CURL_CSELECT_ERR : 0));
}

void Http::act(int socket, int ready) {
  int running = 0;
  require(curl_multi_socket_action(multi_.get(), socket, ready, &running) == CURLM_OK,
          "libcurl lost its way");
}

void Http::collect(std::vector<HttpAnswer>& answers) {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    CURL* const easy = message->easy_handle;
    curl_multi_remove_handle(multi_.get(), easy);  // `message` is gone from here
    Transfer* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    transfer->finish(result);
    answers.push_back(std::move(transfer->answer));
    transfer->active = false;
    idle_.push_back(transfer);
  }
}

void Http::abandon() {
  ready_ = {};
  for (const auto& transfer : transfers_) {
    if (!transfer->active) continue;
    curl_multi_remove_handle(multi_.get(), transfer->easy);
    transfer->active = false;
    idle_.push_back(transfer.get());
  }
}

}  // namespace sluice
