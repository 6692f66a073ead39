// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_sts.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <regex>
#include <thread>

#include "job/base/text.h"
#include "tests/support/sandbox_http.h"
#include "tests/support/sandbox_refusal.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 7> kAllowed = {
    "Action",     "Version",         "RoleArn",         "RoleSessionName",
    "ExternalId", "DurationSeconds", "WebIdentityToken"};

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

[[noreturn]] void invalid(const std::string& why) { throw SandboxRefusal("ValidationError", why); }

SandboxSts::Form parse_form(const std::string& body) {
  SandboxSts::Form form;
  for (const std::string_view part : split(body, '&')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) invalid("a parameter without a value");
    const bool fresh =
        form.emplace(decoded(part.substr(0, equals)), decoded(part.substr(equals + 1))).second;
    if (!fresh) invalid("a parameter twice");
  }
  return form;
}

std::string in_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + in_xml(text) + "</" + name + ">\n";
}

std::string result(const std::string& action, const SandboxKeys::Pair& pair) {
  const std::string open = "https://sts.amazonaws.com/doc/2011-06-15/";
  return "<" + action + "Response xmlns=\"" + open + "\">\n  <" + action +
         "Result>\n    <AssumedRoleUser>" + element("Arn", "arn:aws:sts::1:assumed-role/x/y") +
         "</AssumedRoleUser>\n    <Credentials>\n" +
         element("AccessKeyId", pair.credentials.access_key) +
         element("SecretAccessKey", pair.credentials.secret_key) +
         element("SessionToken", pair.credentials.token) + element("Expiration", pair.expiration) +
         "    </Credentials>\n  </" + action + "Result>\n</" + action + "Response>\n";
}

SandboxAnswer error_answer(const SandboxRefusal& refusal) {
  return {refusal.status(),
          "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n<Error>\n" +
              element("Type", "Sender") + element("Code", refusal.code()) +
              element("Message", refusal.message()) + "</Error>\n" +
              element("RequestId", "c6104cbe-af31-11e0-8154-cbc7ccf896c7") + "</ErrorResponse>\n",
          {{"Content-Type", "text/xml"}}};
}

}  // namespace

class SandboxSts::Impl {
 public:
  explicit Impl(std::string region)
      : region_(std::move(region)),
        server_([this](const SandboxRequest& request) { return answer(request); }) {
    set_credentials({});
  }
  ~Impl() { faults_.clear(); }

  std::string host() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  void add_role(SandboxRole role) {
    const std::lock_guard lock(mutex_);
    roles_.push_back(std::move(role));
  }
  void set_credentials(const SandboxCredentials& credentials) {
    const std::lock_guard lock(mutex_);
    known_[credentials.access_key] = credentials;
  }
  std::vector<Form> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  std::vector<std::string> problems() const {
    const std::lock_guard lock(mutex_);
    return problems_;
  }

  SandboxKeys keys_{"ASIAROLE"};
  SandboxFaults faults_{1};
  std::atomic<std::int64_t> offset_ms_{0};

 private:
  std::optional<SandboxAnswer> answer(const SandboxRequest& http) {
    auto answer = served(http);
    if (answer) answer->headers.emplace_back("Date", http_date(now().wall_ms + offset_ms_));
    return answer;
  }

  std::optional<SandboxAnswer> served(const SandboxRequest& http) {
    Form form;
    try {
      form = checked(http);
    } catch (const SandboxRefusal& refusal) {
      const std::lock_guard lock(mutex_);
      problems_.push_back(refusal.code() + ": " + refusal.message());
      return error_answer(refusal);
    }
    const std::string& action = form["Action"];
    const SandboxFault fault = faults_.meet(action, {});
    std::this_thread::sleep_for(fault.delay);
    if (fault.gate) fault.gate->stop_here();
    if (fault.drop_before) return std::nullopt;
    if (!fault.html.empty()) {
      return SandboxAnswer{
          fault.status == 0 ? 200 : fault.status, fault.html, {{"Content-Type", "text/html"}}};
    }
    try {
      if (fault.status != 0)
        throw SandboxRefusal(fault.code, "asked for by the test", fault.status);
      authorize(http, form);
    } catch (const SandboxRefusal& refusal) {
      return error_answer(refusal);
    }
    const SandboxKeys::Pair pair = keys_.hand_out();
    set_credentials(pair.credentials);
    {
      const std::lock_guard lock(mutex_);
      role_of_key_[pair.credentials.access_key] = form["RoleArn"];
    }
    return SandboxAnswer{200, result(action, pair), {{"Content-Type", "text/xml"}}};
  }

  Form checked(const SandboxRequest& http) {
    if (http.method != "POST" || http.target != "/") invalid(http.method + " " + http.target);
    if (http.header("host") != host()) invalid("host " + http.header("host"));
    if (http.header("content-type") != "application/x-www-form-urlencoded; charset=utf-8") {
      invalid("content type " + http.header("content-type"));
    }
    Form form = parse_form(http.body);
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back(form);
    }
    for (const auto& [name, value] : form) {
      if (std::ranges::find(kAllowed, name) == kAllowed.end() || value.empty())
        invalid("parameter " + name);
    }
    const bool by_token = form["Action"] == "AssumeRoleWithWebIdentity";
    if (!by_token && form["Action"] != "AssumeRole") invalid("action " + form["Action"]);
    if (by_token != form.count("WebIdentityToken")) invalid("WebIdentityToken");
    if (form["Version"] != "2011-06-15") invalid("version");
    static const std::regex session(R"([\w+=,.@-]{2,64})");
    if (!std::regex_match(form["RoleSessionName"], session)) invalid("RoleSessionName");
    if (form.count("DurationSeconds")) {
      const int seconds = parse_integer<int>(form["DurationSeconds"]).value_or(0);
      if (seconds < 900 || seconds > 43'200) invalid("DurationSeconds");
    }
    if (by_token) {
      for (const auto& [name, value] : http.headers) {
        if (name == "authorization" || name.starts_with("x-amz-")) invalid(name + " was sent");
      }
    }
    return form;
  }

  void authorize(const SandboxRequest& http, Form& form) {
    const std::lock_guard lock(mutex_);
    const bool by_token = form.count("WebIdentityToken") > 0;
    if (!by_token) verify_signature(http, known_, region_, now().wall_ms + offset_ms_, "sts");
    const auto role = std::ranges::find(roles_, form["RoleArn"], &SandboxRole::arn);
    const std::string who = http.header("authorization");
    const std::size_t begin = who.find('=') + 1;
    const std::string key = who.substr(begin, who.find('/') - begin);
    const bool trusted =
        role != roles_.end() &&
        (by_token ? !role->token.empty() && role->token == form["WebIdentityToken"]
                  : !role->trusted.empty() &&
                        (role->trusted == key || role->trusted == role_of_key_[key]));
    if (by_token && !trusted) {
      // As an unkind service would, with the token in it.
      throw SandboxRefusal("InvalidIdentityToken", "not accepted: " + form["WebIdentityToken"]);
    }
    if (!trusted || role->external_id != form["ExternalId"]) {
      throw SandboxRefusal(
          "AccessDenied",
          "User is not authorized to perform: sts:AssumeRole on resource: " + form["RoleArn"], 403);
    }
  }

  std::string region_;
  mutable std::mutex mutex_;
  std::vector<SandboxRole> roles_;
  KnownCredentials known_;
  std::map<std::string, std::string> role_of_key_;  // of keys handed out
  std::vector<Form> calls_;
  std::vector<std::string> problems_;
  SandboxHttp server_;  // last: it uses the rest
};

SandboxSts::SandboxSts(std::string region) : impl_(std::make_unique<Impl>(std::move(region))) {}
SandboxSts::~SandboxSts() = default;
std::string SandboxSts::endpoint() const { return "http://" + impl_->host(); }
void SandboxSts::add_role(SandboxRole role) { impl_->add_role(std::move(role)); }
void SandboxSts::set_credentials(const SandboxCredentials& credentials) {
  impl_->set_credentials(credentials);
}
SandboxKeys& SandboxSts::keys() { return impl_->keys_; }
SandboxFaults& SandboxSts::faults() { return impl_->faults_; }
void SandboxSts::set_clock_offset(std::int64_t ms) { impl_->offset_ms_ = ms; }
std::vector<SandboxSts::Form> SandboxSts::calls() const { return impl_->calls(); }
std::vector<std::string> SandboxSts::problems() const { return impl_->problems(); }

}  // namespace sluice
