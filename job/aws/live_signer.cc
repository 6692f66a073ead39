// SPDX-License-Identifier: Apache-2.0
#include "job/aws/live_signer.h"

#include <cstdlib>
#include <utility>

#include "job/base/log.h"
#include "job/base/text.h"

namespace sluice {
namespace {

// AWS refuses signatures that are 5 to 15 minutes off; below that a refusal has another reason.
constexpr std::int64_t kClockIsWrongMs = 240'000;

Credentials copy_of(const Credentials& credentials) {
  return {credentials.access_key, credentials.secret.duplicate(),
          credentials.session_token.duplicate(), credentials.origin, credentials.expires_ms};
}

}  // namespace

LiveSigner::LiveSigner(std::shared_ptr<LiveCredentials> credentials, std::string region,
                       std::string service)
    : credentials_(std::move(credentials)),
      region_(std::move(region)),
      service_(std::move(service)) {}

LiveSigner::Basis LiveSigner::sign(HttpRequest& request, std::int64_t wall_ms) {
  if (auto current = credentials_->current(); current != current_) {
    signer_.emplace(copy_of(*current), region_, service_);
    current_ = std::move(current);
  }
  signer_->sign(request, wall_ms + offset_ms_);
  return {current_, offset_ms_};
}

/// Compared with the clock that this request was signed by: another may have corrected ours in the
/// meantime.
bool LiveSigner::corrects_clock(const Basis& refused, std::optional<std::int64_t> date_ms,
                                std::int64_t wall_ms) {
  if (!date_ms) return false;
  const std::int64_t behind_ms = *date_ms - wall_ms;
  if (std::abs(behind_ms - refused.offset_ms) <= kClockIsWrongMs) return false;
  if (std::abs(behind_ms - offset_ms_) <= kClockIsWrongMs) return true;
  offset_ms_ = behind_ms;
  log().write_with_hint(Level::warning, "clock-is-wrong",
                        "the clocks of this host and of AWS differ by about " +
                            format_duration(std::abs(behind_ms) / 60'000 * 60'000),
                        "set the clock; signatures use that of AWS meanwhile");
  return true;
}

}  // namespace sluice
