// SPDX-License-Identifier: Apache-2.0
#include "job/aws/http.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include <curl/curl.h>

#include "job/aws/url.h"
#include "job/base/clock.h"
#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

// 128 receives and, beside them, deletes and extensions.
constexpr long kConnections = 160;
constexpr long kConnectTimeoutMs = 5000;
constexpr std::int64_t kLongestPollMs = 60'000;

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
/// buffers.
struct Http::Transfer {
  CURL* easy = curl_easy_init();
  curl_slist* headers = nullptr;
  HttpRequest request;
  HttpAnswer answer;
  std::size_t received = 0;
  char error[CURL_ERROR_SIZE] = "";

  explicit Transfer(const HttpSettings& settings) {
    require(easy != nullptr, "libcurl has no handle");
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
    set(easy, CURLOPT_WRITEFUNCTION, &take_body);
    set(easy, CURLOPT_WRITEDATA, this);
    set(easy, CURLOPT_HEADERFUNCTION, &take_header);
    set(easy, CURLOPT_HEADERDATA, this);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }

  void prepare(std::uint64_t ticket, HttpRequest next) {
    request = std::move(next);
    answer = {};
    answer.ticket = ticket;
    received = 0;
    error[0] = '\0';
    curl_slist_free_all(std::exchange(headers, nullptr));
    add_header("Expect:");  // a colon alone removes what libcurl would send of its own
    if (request.body.empty()) add_header("Content-Type:");
    for (const Header& header : request.headers) add_header(header.name + ": " + header.value);
    set(easy, CURLOPT_HTTPHEADER, headers);

    const std::string query = request.query.empty() ? "" : "?" + request.query;
    set(easy, CURLOPT_URL, (request.origin + request.path + query).c_str());
    set(easy, CURLOPT_PROXY, bypasses_proxy(request.origin) ? "" : nullptr);
    set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
    if (request.method == "GET") {
      set(easy, CURLOPT_HTTPGET, 1L);
    } else {
      set(easy, CURLOPT_POST, 1L);
      set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(easy, CURLOPT_POSTFIELDS, request.body.data());
    }
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  void finish(CURLcode result) {
    if (result == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      answer.status = static_cast<int>(status);
      const std::string date(answer.header("date"));
      const time_t seconds = date.empty() ? -1 : curl_getdate(date.c_str(), nullptr);
      if (seconds >= 0) answer.date_ms = std::int64_t{seconds} * 1000;
      return;
    }
    answer.body.clear();
    answer.headers.clear();
    if (received > request.most_bytes) {
      answer.error = "the answer is larger than " +
                     format_bytes(static_cast<std::int64_t>(request.most_bytes));
    } else {
      answer.error = error[0] != '\0' ? error : curl_easy_strerror(result);
      answer.error.front() = lower_ascii(answer.error.substr(0, 1)).front();
    }
  }

 private:
  void add_header(const std::string& line) {
    curl_slist* const longer = curl_slist_append(headers, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    headers = longer;
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
    const std::size_t colon = line.find(':');
    try {
      if (line.starts_with("HTTP/")) {
        transfer.answer.headers.clear();  // those before were of a 100 or of a proxy
      } else if (colon != std::string_view::npos) {
        transfer.answer.headers.push_back({lower_ascii(trim_ascii(line.substr(0, colon))),
                                           std::string(trim_ascii(line.substr(colon + 1)))});
      }
    } catch (const std::bad_alloc&) {
      return 0;
    }
    return count;
  }
};

std::string_view HttpAnswer::header(std::string_view name) const {
  const auto at = std::find_if(headers.begin(), headers.end(),
                               [&](const Header& header) { return header.name == name; });
  return at == headers.end() ? std::string_view() : at->value;
}

void Http::CloseMulti::operator()(void* multi) const { curl_multi_cleanup(multi); }

Http::Http(const HttpSettings& settings) : settings_(settings) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  require(started == CURLE_OK, "libcurl does not start");
  multi_.reset(curl_multi_init());
  require(multi_ != nullptr, "libcurl has no handle");
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kConnections);
}

Http::~Http() { abandon(); }

void Http::start(std::uint64_t ticket, HttpRequest request) {
  std::unique_ptr<Transfer> transfer;
  if (idle_.empty()) {
    transfer = std::make_unique<Transfer>(settings_);
  } else {
    transfer = std::move(idle_.back());
    idle_.pop_back();
  }
  transfer->prepare(ticket, std::move(request));
  CURL* const easy = transfer->easy;
  active_.emplace(easy, std::move(transfer));
  require(curl_multi_add_handle(multi_.get(), easy) == CURLM_OK, "libcurl refused a request");
}

bool Http::wait(std::int64_t at_most_ms, std::vector<HttpAnswer>& answers) {
  const std::size_t before = answers.size();
  const std::int64_t start = now().steady_ms;
  while (true) {
    int running = 0;
    require(curl_multi_perform(multi_.get(), &running) == CURLM_OK, "libcurl lost its way");
    collect(answers);
    if (woken_.exchange(false)) return true;
    const std::int64_t left = at_most_ms - (now().steady_ms - start);
    if (answers.size() > before || left <= 0) return false;
    const auto poll_ms = static_cast<int>(std::min(left, kLongestPollMs));
    require(curl_multi_poll(multi_.get(), nullptr, 0, poll_ms, nullptr) == CURLM_OK,
            "libcurl cannot wait");
  }
}

void Http::collect(std::vector<HttpAnswer>& answers) {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    CURL* const easy = message->easy_handle;
    curl_multi_remove_handle(multi_.get(), easy);  // `message` is gone from here
    auto node = active_.extract(easy);
    std::unique_ptr<Transfer>& transfer = node.mapped();
    transfer->finish(result);
    answers.push_back(std::move(transfer->answer));
    idle_.push_back(std::move(transfer));
  }
}

void Http::wake() {
  woken_ = true;
  curl_multi_wakeup(multi_.get());
}

void Http::abandon() {
  for (const auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_.get(), easy);
  active_.clear();
}

}  // namespace sluice
