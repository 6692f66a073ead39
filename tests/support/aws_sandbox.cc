// SPDX-License-Identifier: Apache-2.0
#include "tests/support/aws_sandbox.h"

#include <array>
#include <atomic>
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
    KnownCredentials known = *known_;
    known[credentials.access_key] = credentials;
    known_ = std::make_shared<const KnownCredentials>(std::move(known));
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
  std::atomic<bool> unsigned_ok_{false};

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
    std::array<unsigned char, 16 << 10> room;  // a batch of deletes fits in
    json::monotonic_resource memory(room.data(), room.size());
    json::value parsed(&memory);  // else it would be copied
    try {
      note_call(operation);
      parsed = checked(http, operation, &memory);
    } catch (const SandboxRefusal& refusal) {
      const std::lock_guard lock(mutex_);
      problems_.push_back(operation + ": " + refusal.code() + ": " + refusal.message());
      return error_answer(refusal);
    }
    const json::object& request = parsed.get_object();
    const SandboxFault fault = faults_.meet(operation, request);
    std::this_thread::sleep_for(fault.delay);
    if (fault.gate) fault.gate->stop_here();
    if (fault.drop_before) return std::nullopt;
    SandboxAnswer answer;
    try {
      if (fault.status != 0) throw SandboxRefusal(fault.code, kAskedFor, fault.status);
      call_hook(operation, request);
      answer.body = sqs_.serve(operation, request, fault);
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
    note_answer(operation);
    if (fault.drop_after) return std::nullopt;
    return answer;
  }

  /// The request, an object, when AWS would have served it and a bit more.
  json::value checked(const SandboxRequest& http, const std::string& operation,
                      json::storage_ptr memory) const {
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
    if (!unsigned_ok_ || !http.header("authorization").empty()) {
      verify_signature(http, *known(), region_, sqs_.time().wall_ms);
    }
    boost::system::error_code error;
    json::value body = json::parse(http.body, error, memory);
    if (error || !body.is_object())
      throw SandboxRefusal("SerializationException", "the body is no JSON object");
    check_request(operation, body.get_object());
    return body;
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
                       line("connections", std::to_string(server_.accepted())) +
                       line("problems", std::to_string(problems().size()));
    for (const std::string& problem : problems()) text += line("problem", problem);
    for (const auto& [operation, count] : calls())
      text += line("calls." + operation, std::to_string(count));
    const std::lock_guard lock(mutex_);
    for (const auto& [operation, span] : spans_) {
      text += line("first." + operation, std::to_string(span.first)) +
              line("last." + operation, std::to_string(span.second));
    }
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
    const std::int64_t at = sqs_.time().steady_ms;
    const std::lock_guard lock(mutex_);
    ++calls_[operation];
    spans_.try_emplace(operation, at, at);
  }

  void note_answer(const std::string& operation) {
    const std::int64_t at = sqs_.time().steady_ms;
    const std::lock_guard lock(mutex_);
    spans_[operation].second = at;
  }

  std::shared_ptr<const KnownCredentials> known() const {
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
  std::shared_ptr<const KnownCredentials> known_ = std::make_shared<const KnownCredentials>();
  std::map<std::string, std::uint64_t> calls_;
  /// By operation, steady: when the first call came, and when the last was answered.
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> spans_;
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
void AwsSandbox::allow_unsigned() { impl_->unsigned_ok_ = true; }
void AwsSandbox::before_effect(Hook hook) { impl_->before_effect(std::move(hook)); }
std::map<std::string, std::uint64_t> AwsSandbox::calls() const { return impl_->calls(); }
std::vector<std::string> AwsSandbox::problems() const { return impl_->problems(); }
std::vector<std::string> AwsSandbox::take_problems() { return impl_->take_problems(); }

}  // namespace sluice
