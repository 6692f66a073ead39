// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_metadata.h"

#include <mutex>
#include <thread>

#include <boost/json.hpp>

#include "job/base/text.h"
#include "tests/support/sandbox_http.h"

namespace sluice {
namespace {

namespace json = boost::json;

constexpr std::string_view kRoles = "/latest/meta-data/iam/security-credentials/";
constexpr const char* kContainer = "/v2/credentials?id=7";
constexpr const char* kToken = "AQAEA-session-token==";

SandboxAnswer text_answer(int status, const std::string& text) {
  return {status, text, {{"Content-Type", "text/plain"}}};
}

}  // namespace

class SandboxMetadata::Impl {
 public:
  Impl() : server_([this](const SandboxRequest& request) { return answer(request); }) {}
  ~Impl() { faults_.clear(); }

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }

  SandboxKeys keys_{"ASIAHOST"};
  SandboxFaults faults_{1};
  mutable std::mutex mutex_;
  std::string role_ = "loader";
  std::string authorization_;
  json::object refusal_;
  std::map<std::string, int> calls_;

 private:
  std::optional<SandboxAnswer> answer(const SandboxRequest& http) {
    const std::string operation = operation_of(http);
    {
      const std::lock_guard lock(mutex_);
      ++calls_[operation];
    }
    if (operation == "refused") return text_answer(401, "Unauthorized");
    const SandboxFault fault = faults_.meet(operation, {});
    std::this_thread::sleep_for(fault.delay);
    if (fault.gate) fault.gate->stop_here();
    if (fault.drop_before) return std::nullopt;
    if (fault.status != 0 || !fault.html.empty()) {
      return text_answer(fault.status == 0 ? 200 : fault.status, fault.html);
    }
    const std::lock_guard lock(mutex_);
    if (operation == "token") return text_answer(200, kToken);
    if (operation == "region") return text_answer(200, "eu-north-1");
    if (operation == "role") {
      return role_.empty() ? text_answer(404, "Not Found") : text_answer(200, role_);
    }
    if (operation == "container" || http.target == std::string(kRoles) + role_) {
      return SandboxAnswer{200, credentials(), {{"Content-Type", "application/json"}}};
    }
    return text_answer(404, "Not Found");
  }

  std::string operation_of(const SandboxRequest& http) const {
    const std::lock_guard lock(mutex_);
    if (http.header("host") != endpoint().substr(7)) return "refused";
    if (http.target == kContainer) {
      const bool authorized = http.header("authorization") == authorization_;
      return http.method == "GET" && authorized ? "container" : "refused";
    }
    if (http.target == "/latest/api/token") {
      const auto life =
          parse_integer<int>(http.header("x-aws-ec2-metadata-token-ttl-seconds")).value_or(0);
      return http.method == "PUT" && http.body.empty() && life >= 1 && life <= 21'600 ? "token"
                                                                                      : "refused";
    }
    if (http.method != "GET" || http.header("x-aws-ec2-metadata-token") != kToken) return "refused";
    if (http.target == "/latest/meta-data/placement/region") return "region";
    if (http.target == kRoles) return "role";
    return http.target.starts_with(kRoles) ? "credentials" : "refused";
  }

  std::string credentials() {
    if (!refusal_.empty()) return json::serialize(refusal_);
    const SandboxKeys::Pair pair = keys_.hand_out();
    return json::serialize(json::object{{"Code", "Success"},
                                        {"Type", "AWS-HMAC"},
                                        {"AccessKeyId", pair.credentials.access_key},
                                        {"SecretAccessKey", pair.credentials.secret_key},
                                        {"Token", pair.credentials.token},
                                        {"Expiration", pair.expiration}});
  }

  SandboxHttp server_;  // last: it uses the rest
};

SandboxMetadata::SandboxMetadata() : impl_(std::make_unique<Impl>()) {}
SandboxMetadata::~SandboxMetadata() = default;
std::string SandboxMetadata::endpoint() const { return impl_->endpoint(); }
std::string SandboxMetadata::container_url() const { return endpoint() + kContainer; }
void SandboxMetadata::set_role(const std::string& name) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->role_ = name;
}
void SandboxMetadata::set_refusal(const std::string& code, const std::string& message) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->refusal_ = {{"Code", code}, {"Message", message}};
}
void SandboxMetadata::set_authorization(const std::string& token) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->authorization_ = token;
}
SandboxKeys& SandboxMetadata::keys() { return impl_->keys_; }
SandboxFaults& SandboxMetadata::faults() { return impl_->faults_; }
std::map<std::string, int> SandboxMetadata::calls() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->calls_;
}

}  // namespace sluice
