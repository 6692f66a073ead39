// SPDX-License-Identifier: Apache-2.0
#include "tests/support/aws_sandbox.h"

#include <thread>
#include <utility>

#include <boost/json.hpp>

#include "job/base/text.h"
#include "tests/support/sandbox_http.h"
#include "tests/support/sandbox_refusal.h"
#include "tests/support/sandbox_shapes.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

namespace json = boost::json;

constexpr std::string_view kContentType = "application/x-amz-json-1.0";
constexpr const char* kAskedFor = "asked for by the test";

/// Bodies put in by tests may hold lone surrogates, which are no UTF-8; on the wire they are
/// escapes.
std::string on_the_wire(const json::object& answer) {
  std::string text = json::serialize(answer);
  for (std::size_t at = 0; (at = text.find('\xed', at)) != std::string::npos; ++at) {
    const auto second = at + 2 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
    if (second < 0xa0) continue;
    const unsigned code =
        0xd000U | (second & 0x3fU) << 6 | (static_cast<unsigned char>(text[at + 2]) & 0x3fU);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string escape = "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) escape += kDigits[code >> shift & 15];
    text.replace(at, 3, escape);
  }
  return text;
}

SandboxAnswer error_answer(const SandboxRefusal& refusal) {
  const std::string legacy = refusal.code() == "QueueDoesNotExist"
                                 ? "AWS.SimpleQueueService.NonExistentQueue"
                                 : refusal.code();
  SandboxAnswer answer;
  answer.status = refusal.status();
  answer.body = json::serialize(json::object{{"__type", "com.amazonaws.sqs#" + refusal.code()},
                                             {"message", refusal.message()}});
  answer.headers = {
      {"Content-Type", std::string(kContentType)},
      {"x-amzn-query-error", legacy + (refusal.status() < 500 ? ";Sender" : ";Receiver")}};
  return answer;
}

std::string line(std::string_view name, const std::string& value) {
  return std::string(name) + " " + value + "\n";
}

}  // namespace

class AwsSandbox::Impl {
 public:
  Impl(std::string region, std::uint64_t seed)
      : region_(std::move(region)),
        sqs_(region_, seed),
        faults_(seed + 1),
        random_(seed + 2),
        server_([this](const SandboxRequest& request) { return answer(request); }) {
    set_credentials({});
  }

  ~Impl() {
    faults_.clear();
    sqs_.stop();
  }

  std::uint16_t port() const { return server_.port(); }

  void set_credentials(const SandboxCredentials& credentials) {
    const std::lock_guard lock(mutex_);
    known_[credentials.access_key] = credentials;
  }

  void before_effect(Hook hook) {
    const std::lock_guard lock(hook_mutex_);
    hook_ = std::move(hook);
  }

  std::map<std::string, std::uint64_t> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  std::vector<std::string> problems() const {
    const std::lock_guard lock(mutex_);
    return problems_;
  }
  std::vector<std::string> take_problems() {
    const std::lock_guard lock(mutex_);
    return std::exchange(problems_, {});
  }

  std::string region_;
  SandboxSqs sqs_;
  SandboxFaults faults_;

 private:
  std::optional<SandboxAnswer> answer(const SandboxRequest& http) {
    std::optional<SandboxAnswer> answer =
        http.target.starts_with("/sandbox/") ? told_to_the_owner(http) : served(http);
    if (answer) {
      answer->headers.emplace_back("x-amzn-RequestId", request_id());
      answer->headers.emplace_back("Date", http_date(sqs_.time().wall_ms));
    }
    return answer;
  }

  std::optional<SandboxAnswer> served(const SandboxRequest& http) {
    const std::string target = http.header("x-amz-target");
    const std::string operation = target.substr(target.find('.') + 1);
    json::object request;
    try {
      note_call(operation);
      request = checked(http, operation);
    } catch (const SandboxRefusal& refusal) {
      const std::lock_guard lock(mutex_);
      problems_.push_back(operation + ": " + refusal.code() + ": " + refusal.message());
      return error_answer(refusal);
    }
    const SandboxFault fault = faults_.meet(operation, request);
    std::this_thread::sleep_for(fault.delay);
    if (fault.gate) fault.gate->stop_here();
    if (fault.drop_before) return std::nullopt;
    SandboxAnswer answer;
    try {
      if (fault.status != 0) throw SandboxRefusal(fault.code, kAskedFor, fault.status);
      call_hook(operation, request);
      answer.body = on_the_wire(sqs_.serve(operation, request, fault));
      answer.headers = {{"Content-Type", std::string(kContentType)}};
    } catch (const SandboxRefusal& refusal) {
      answer = error_answer(refusal);
    }
    if (!fault.html.empty()) {
      answer = {fault.status, fault.html, {{"Content-Type", "text/html"}}};
    }
    if (fault.retry_after_ms) {
      answer.headers.emplace_back("x-amz-retry-after", std::to_string(*fault.retry_after_ms));
    }
    answer.trickle = fault.trickle;
    if (fault.gate_after) fault.gate_after->stop_here();
    if (fault.drop_after) return std::nullopt;
    return answer;
  }

  /// The request, when AWS would have served it and a bit more.
  json::object checked(const SandboxRequest& http, const std::string& operation) const {
    if (http.method != "POST" || http.target != "/" || !is_operation(operation) ||
        http.header("x-amz-target") != "AmazonSQS." + operation) {
      throw SandboxRefusal("InvalidAction",
                           http.method + " " + http.target + " " + http.header("x-amz-target"));
    }
    if (http.header("content-type") != kContentType) {
      throw SandboxRefusal("InvalidAction", "content type " + http.header("content-type"));
    }
    if (http.header("host") != "127.0.0.1:" + std::to_string(server_.port())) {
      throw SandboxRefusal("SignatureDoesNotMatch", "host " + http.header("host"), 403);
    }
    verify_signature(http, known(), region_, sqs_.time().wall_ms);
    boost::system::error_code error;
    const json::value body = json::parse(http.body, error);
    if (error || !body.is_object())
      throw SandboxRefusal("SerializationException", "the body is no JSON object");
    check_request(operation, body.get_object());
    return body.get_object();
  }

  std::optional<SandboxAnswer> told_to_the_owner(const SandboxRequest& http) {
    const auto parts = split(http.target, '/');
    const std::string queue(parts.size() > 3 ? parts[3] : "");
    SandboxAnswer answer{.headers = {{"Content-Type", "text/plain"}}};
    if (parts.size() == 4 && parts[2] == "counts") {
      answer.body = counts(queue);
    } else if (parts.size() == 5 && parts[2] == "message") {
      answer.body = message(queue, parse_integer<std::size_t>(parts[4]).value_or(0));
    } else {
      answer.status = 404;
    }
    return answer;
  }

  std::string counts(const std::string& queue_name) {
    QueueTally tally;
    sqs_.with_queue(queue_name, [&](SandboxQueue& queue, Now at) { tally = queue.tally(at); });
    std::string text = line("sent", std::to_string(tally.sent)) +
                       line("deliveries", std::to_string(tally.deliveries)) +
                       line("deleted", std::to_string(tally.deleted)) +
                       line("left", std::to_string(tally.left())) +
                       line("visible", std::to_string(tally.visible)) +
                       line("in_flight", std::to_string(tally.in_flight)) +
                       line("problems", std::to_string(problems().size()));
    for (const auto& [operation, count] : calls())
      text += line("calls." + operation, std::to_string(count));
    for (const std::string& problem : problems()) text += line("problem", problem);
    return text;
  }

  std::string message(const std::string& queue_name, std::size_t number) {
    std::string text;
    sqs_.with_queue(queue_name, [&](SandboxQueue& queue, Now at) {
      if (number >= queue.tally(at).sent) return;
      const Message held = queue.message(number).message;
      text = line("message_id", held.id) + line("sent_ms", std::to_string(held.sent_ms)) +
             line("receive_count", std::to_string(held.receive_count)) +
             line("deleted", queue.is_deleted(number) ? "yes" : "no") + line("body", held.body);
    });
    return text;
  }

  void call_hook(const std::string& operation, const json::object& request) {
    const std::lock_guard lock(hook_mutex_);
    if (hook_) hook_(operation, request);
  }

  void note_call(const std::string& operation) {
    const std::lock_guard lock(mutex_);
    ++calls_[operation];
  }

  KnownCredentials known() const {
    const std::lock_guard lock(mutex_);
    return known_;
  }

  std::string request_id() {
    const std::lock_guard lock(mutex_);
    return to_text(seeded_uuid(random_));
  }

  mutable std::mutex mutex_;
  std::mutex hook_mutex_;
  Hook hook_;
  KnownCredentials known_;
  std::map<std::string, std::uint64_t> calls_;
  std::vector<std::string> problems_;
  SeededRandom random_;
  SandboxHttp server_;  // last: it uses the rest
};

AwsSandbox::AwsSandbox(std::string region, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(std::move(region), seed)) {}
AwsSandbox::~AwsSandbox() = default;
std::uint16_t AwsSandbox::port() const { return impl_->port(); }
std::string AwsSandbox::endpoint() const { return "http://127.0.0.1:" + std::to_string(port()); }
SandboxSqs& AwsSandbox::sqs() { return impl_->sqs_; }
SandboxFaults& AwsSandbox::faults() { return impl_->faults_; }
void AwsSandbox::set_credentials(const SandboxCredentials& credentials) {
  impl_->set_credentials(credentials);
}
void AwsSandbox::before_effect(Hook hook) { impl_->before_effect(std::move(hook)); }
std::map<std::string, std::uint64_t> AwsSandbox::calls() const { return impl_->calls(); }
std::vector<std::string> AwsSandbox::problems() const { return impl_->problems(); }
std::vector<std::string> AwsSandbox::take_problems() { return impl_->take_problems(); }

}  // namespace sluice
