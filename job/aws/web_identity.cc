// SPDX-License-Identifier: Apache-2.0
#include "job/aws/web_identity.h"

#include "job/aws/sts.h"
#include "job/aws/token_file.h"
#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {

std::optional<Credentials> credentials_of_web_identity(const CredentialSearch& search,
                                                       const Profile& profile) {
  const bool of_the_run = &profile == &search.profile && !profile.named_by_flag();
  const auto value = [&](const char* variable, const char* key) {
    const std::string found = of_the_run ? search.environment(variable) : "";
    return found.empty() ? profile.setting(key) : found;
  };
  const std::string path = value("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
  if (path.empty()) return std::nullopt;
  Role role;
  role.arn = value("AWS_ROLE_ARN", "role_arn");
  role.session_name = value("AWS_ROLE_SESSION_NAME", "role_session_name");
  if (role.arn.empty()) {
    throw Failure(Fault::rights, "credentials: a web identity token, but no role to assume with it",
                  "set AWS_ROLE_ARN, or role_arn in profile " + profile.name());
  }
  const Secret token = read_token(path, "web identity token");
  Credentials found = Sts(search).assume_role_with_web_identity(role, trim_ascii(token.reveal()));
  found.origin = "web identity, role " + role.arn;
  return found;
}

}  // namespace sluice
