// SPDX-License-Identifier: Apache-2.0
// Signs with the credentials of the moment and by the clock of the service.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "job/aws/live_credentials.h"
#include "job/aws/sigv4.h"

namespace sluice {

class LiveSigner {
 public:
  LiveSigner(std::shared_ptr<LiveCredentials> credentials, std::string region, std::string service);

  /// What a request was signed by.
  struct Basis {
    std::shared_ptr<const Credentials> credentials;
    std::int64_t offset_ms = 0;  // what our clock was taken to be behind
  };
  Basis sign(HttpRequest& request, std::int64_t wall_ms);

  /// A signature was refused by a service whose clock said `date_ms`. Whether ours explains it;
  /// then later signatures use the clock of the service.
  bool corrects_clock(const Basis& refused, std::optional<std::int64_t> date_ms,
                      std::int64_t wall_ms);

  LiveCredentials& credentials() { return *credentials_; }
  /// What our clock is behind that of the service; 0 unless a signature was refused for it.
  std::int64_t clock_offset_ms() const { return offset_ms_; }

 private:
  std::shared_ptr<LiveCredentials> credentials_;
  std::string region_;
  std::string service_;
  std::int64_t offset_ms_ = 0;
  std::shared_ptr<const Credentials> current_;  // those of `signer_`
  std::optional<Signer> signer_;
};

}  // namespace sluice
