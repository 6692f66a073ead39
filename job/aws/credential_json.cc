// SPDX-License-Identifier: Apache-2.0
#include "job/aws/credential_json.h"

#include <boost/json.hpp>

#include "job/base/moment.h"

namespace sluice {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<json::object> parse_object(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

CredentialJson with_problem(std::string problem) { return {{}, std::move(problem), "", ""}; }

CredentialJson credentials_in(const json::object& object, std::string_view token_key) {
  Credentials found{text_of(object, "AccessKeyId"), Secret(text_of(object, "SecretAccessKey")),
                    Secret(text_of(object, token_key)), ""};
  if (found.access_key.empty()) return with_problem("no AccessKeyId");
  if (found.secret.empty()) return with_problem("no SecretAccessKey");
  const json::value* const expiration = object.if_contains("Expiration");
  if (expiration != nullptr && !expiration->is_null()) {
    const auto us = parse_timestamp(text_of(object, "Expiration"), Zone::required);
    if (!us) return with_problem("an Expiration that is no time");
    found.expires_ms = *us / 1000;
  }
  return {std::move(found), "", "", ""};
}

}  // namespace

CredentialJson read_metadata_credentials(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return with_problem("no JSON object");
  const auto either = [&](const char* upper, const char* lower) {
    std::string found = text_of(*object, upper);
    return found.empty() ? text_of(*object, lower) : found;
  };
  std::string code = either("Code", "code");
  if (code.empty() || code == "Success") return credentials_in(*object, "Token");
  return {{}, "an error", std::move(code), either("Message", "message")};
}

CredentialJson read_process_credentials(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return with_problem("no JSON object");
  const json::value* const version = object->if_contains("Version");
  if (version == nullptr || *version != 1) return with_problem("no \"Version\": 1");
  return credentials_in(*object, "SessionToken");
}

}  // namespace sluice
