// SPDX-License-Identifier: Apache-2.0
// Credentials that processes, containers and instance metadata print.
#include <boost/json.hpp>

#include "job/aws/credential_json.h"
#include "job/base/clock.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

using Read = CredentialJson (*)(std::string_view);

std::string printed(const Credentials& credentials, const char* token_key) {
  boost::json::object object{{"Version", 1},
                             {"AccessKeyId", credentials.access_key},
                             {"SecretAccessKey", credentials.secret.reveal()},
                             {token_key, credentials.session_token.reveal()}};
  if (credentials.expires_ms) object["Expiration"] = rfc3339(*credentials.expires_ms);
  return boost::json::serialize(object);
}

void check(Read read, const char* token_key, std::string_view input) {
  const CredentialJson found = read(input);
  must_hold(found.credentials.has_value() == found.problem.empty(),
            "either credentials or a problem");
  must_hold(!repeats(found.problem, input, 20), "a problem tells names at most");
  if (!found.credentials) return;
  const CredentialJson again = read(printed(*found.credentials, token_key));
  must_hold(again.credentials.has_value(), "what was accepted is accepted again");
  must_hold(
      again.credentials->access_key == found.credentials->access_key &&
          again.credentials->secret.reveal() == found.credentials->secret.reveal() &&
          again.credentials->session_token.reveal() == found.credentials->session_token.reveal() &&
          again.credentials->expires_ms == found.credentials->expires_ms,
      "and is the same");
}

}  // namespace

void credential_json(std::string_view input) {
  check(read_metadata_credentials, "Token", input);
  check(read_process_credentials, "SessionToken", input);
}

}  // namespace sluice::fuzz
