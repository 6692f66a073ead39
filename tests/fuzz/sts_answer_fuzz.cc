// SPDX-License-Identifier: Apache-2.0
// What STS answers, or a proxy in its place.
#include "job/aws/sts_answer.h"
#include "job/base/clock.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

std::string element(const std::string& name, std::string_view text) {
  std::string out = "<" + name + ">";
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out + "</" + name + ">";
}

}  // namespace

void sts_answer(std::string_view input) {
  const StsError error = parse_sts_error(input);
  must_hold(error.code.size() <= input.size() && error.message.size() <= input.size(),
            "an error is no longer than the answer");
  const auto found = parse_sts_credentials(input);
  if (!found) return;
  must_hold(found->expires_ms.has_value(), "credentials of a role expire");
  const auto again =
      parse_sts_credentials("<Credentials>" + element("AccessKeyId", found->access_key) +
                            element("SecretAccessKey", found->secret.reveal()) +
                            element("SessionToken", found->session_token.reveal()) +
                            element("Expiration", rfc3339(*found->expires_ms)) + "</Credentials>");
  must_hold(again.has_value(), "what was accepted is accepted again");
  must_hold(again->access_key == found->access_key &&
                again->secret.reveal() == found->secret.reveal() &&
                again->session_token.reveal() == found->session_token.reveal() &&
                again->expires_ms == found->expires_ms,
            "and is the same");
}

}  // namespace sluice::fuzz
