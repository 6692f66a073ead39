// SPDX-License-Identifier: Apache-2.0
#include "job/aws/sts.h"

#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include "job/aws/quotable.h"
#include "job/aws/sigv4.h"
#include "job/aws/sts_answer.h"
#include "job/base/clock.h"
#include "job/base/failure.h"
#include "job/base/text.h"
#include "job/http/fetch.h"
#include "job/http/percent.h"

namespace sluice {
namespace {

constexpr const char* kVersion = "2011-06-15";
constexpr std::size_t kMostBytes = 256 << 10;
// STS refuses signatures that are 15 minutes off; below that a refusal has another reason.
constexpr std::int64_t kClockIsWrongMs = 240'000;

void append_parameter(std::string& form, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  form.append(form.empty() ? "" : "&").append(name).append("=").append(percent_encoded(value));
}

std::string form_of(std::string_view action, const Role& role) {
  std::string form;
  append_parameter(form, "Action", action);
  append_parameter(form, "Version", kVersion);
  append_parameter(form, "RoleArn", role.arn);
  append_parameter(form, "RoleSessionName",
                   role.session_name.empty() ? "sluice-" + std::to_string(now().wall_ms / 1000)
                                             : role.session_name);
  append_parameter(form, "ExternalId", role.external_id);
  if (role.duration_s) append_parameter(form, "DurationSeconds", std::to_string(*role.duration_s));
  return form;
}

double random_share() {
  thread_local std::mt19937_64 random(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(random);
}

}  // namespace

struct Sts::Call {
  std::string_view action;
  const Role& role;
  Secret form;
  const Credentials* keys;  // null: not signed
  std::string_view token;
};

Sts::Sts(const CredentialSearch& search)
    : endpoint_(find_sts_endpoint(search.wishes, search.environment, search.profile)),
      retry_(find_retry_policy(search.environment, search.profile)),
      stop_(search.stop),
      http_({find_ca_bundle(search.environment, search.profile)}) {}

Credentials Sts::assume_role(const Role& role, const Credentials& keys) {
  constexpr std::string_view kAction = "AssumeRole";
  return answer_to({kAction, role, Secret(form_of(kAction, role)), &keys, ""});
}

Credentials Sts::assume_role_with_web_identity(const Role& role, std::string_view token) {
  constexpr std::string_view kAction = "AssumeRoleWithWebIdentity";
  std::string form = form_of(kAction, role);
  append_parameter(form, "WebIdentityToken", token);
  return answer_to({kAction, role, Secret(std::move(form)), nullptr, token});
}

Credentials Sts::answer_to(const Call& call) {
  const std::int64_t began_ms = now().steady_ms;
  std::int64_t offset_ms = 0;
  for (int attempt = 1;; ++attempt) {
    HttpRequest request;
    request.origin = endpoint_.url;
    request.path = endpoint_.path;
    request.headers = {{"Host", endpoint_.host},
                       {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    request.body = call.form.reveal();
    request.most_bytes = kMostBytes;
    if (call.keys != nullptr) {
      const Credentials& keys = *call.keys;
      Signer({keys.access_key, keys.secret.duplicate(), keys.session_token.duplicate(), ""},
             endpoint_.region, "sts")
          .sign(request, now().wall_ms + offset_ms);
    }
    const HttpAnswer answer = fetch(http_, std::move(request), stop_);
    if (answer.status == 200) {
      if (auto credentials = parse_sts_credentials(answer.body)) return std::move(*credentials);
      throw failure_of(call, answer, attempt);
    }
    const ErrorClass kind = classify(parse_sts_error(answer.body).code, answer.status);
    if (kind == ErrorClass::clock && offset_ms == 0 && answer.date_ms()) {
      offset_ms = *answer.date_ms() - now().wall_ms;
      if (std::abs(offset_ms) > kClockIsWrongMs) continue;
    }
    const auto delay =
        retry_.delay_ms(kind, attempt, now().steady_ms - began_ms, random_share(), std::nullopt);
    if (!delay) throw failure_of(call, answer, attempt);
    pause(*delay, stop_);
  }
}

Failure Sts::failure_of(const Call& call, const HttpAnswer& answer, int attempts) const {
  const std::string what = "credentials: " + std::string(call.action) + " of " +
                           printable(call.role.arn, 200) + " at " + endpoint_.url + ": ";
  const std::string tries = attempts > 1 ? ", after " + std::to_string(attempts) + " attempts" : "";
  if (answer.status == 0) {
    return {Fault::temporary, what + "cannot reach it: " + printable(answer.error) + tries,
            "check the network and the endpoint (" + endpoint_.url_origin + "); run again later"};
  }
  if (answer.status == 200) {
    return {Fault::temporary, what + "it answered with success, but not as STS does",
            "check that the endpoint is STS (" + endpoint_.url_origin +
                ") and no proxy answers for it"};
  }
  const StsError error = parse_sts_error(answer.body);
  const ErrorClass kind = classify(error.code, answer.status);
  std::string cause =
      error.code.empty() ? "status " + std::to_string(answer.status) : printable(error.code, 80);
  // What AWS says of a wrong signature may repeat the signed headers, with the session token in
  // them.
  if (kind != ErrorClass::clock) {
    std::vector<std::string_view> secrets = {call.token};
    if (call.keys != nullptr) {
      secrets = {call.keys->secret.reveal(), call.keys->session_token.reveal()};
    }
    const std::string said = quotable(error.message, secrets);
    if (!said.empty()) cause += ": " + said;
  }
  if (fault_of(kind) == Fault::temporary) {
    return {Fault::temporary, what + cause + tries, "run again later"};
  }
  return {Fault::rights, what + cause,
          kind == ErrorClass::clock
              ? "check the clock of this host and the secret key that the role is assumed with"
              : "check that the role exists and that its trust policy lets this caller assume it"};
}

}  // namespace sluice
