// SPDX-License-Identifier: Apache-2.0
#include "job/aws/credential_process.h"

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "job/aws/child_process.h"
#include "job/aws/credential_json.h"
#include "job/aws/quotable.h"
#include "job/aws/shell_words.h"
#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr const char* kKey = "credential_process";
constexpr ChildLimits kLimits = {64 << 10, 60'000};

std::string place_of(const Profile& profile) {
  const IniFile::Section* const section = profile.in_credentials_file();
  const bool in_credentials_file = section != nullptr && section->contains(kKey);
  return "credential_process of profile " + profile.name() + " in " +
         (in_credentials_file ? profile.credentials_path() : profile.config_path());
}

}  // namespace

std::optional<Credentials> credentials_of_process(const Profile& profile,
                                                  const std::stop_token& stop) {
  const std::string line = profile.setting(kKey);
  if (line.empty()) return std::nullopt;
  const std::string place = place_of(profile);
  const auto failure = [&](Fault fault, const std::string& cause, const std::string& hint) {
    return Failure(fault, "credentials: " + place + ": " + cause, hint);
  };

  const auto words = shell_words(line);
  if (!words || words->empty()) {
    throw failure(Fault::rights, "a quote is not closed", "close it");
  }
  ChildEnd end = run_child(*words, kLimits, stop);
  const Secret out(std::move(end.out));
  switch (end.how) {
    case ChildEnd::How::not_started:
      throw failure(Fault::rights, std::string("cannot start it: ") + std::strerror(end.code),
                    "write the whole path of a program");
    case ChildEnd::How::too_late:
      throw failure(Fault::temporary,
                    "it did not end within " + format_duration(kLimits.timeout_ms),
                    "run it by hand: it must end by itself, without asking anybody");
    case ChildEnd::How::too_much:
      throw failure(Fault::rights, "it printed too much", "it must print one JSON object");
    case ChildEnd::How::exited:
      break;
  }
  if (end.code != 0) {
    const std::array<std::string_view, 1> secrets = {out.reveal()};
    const std::string said = quotable(end.err, secrets);
    throw failure(
        Fault::rights,
        "it ended with status " + std::to_string(end.code) + (said.empty() ? "" : ": " + said),
        "run it by hand as this user");
  }
  CredentialJson read = read_process_credentials(out.reveal());
  if (!read.credentials) {
    throw failure(Fault::rights, "it printed " + read.problem,
                  "it must print {\"Version\": 1, \"AccessKeyId\": …, \"SecretAccessKey\": ...}");
  }
  read.credentials->origin = place;
  return std::move(read.credentials);
}

}  // namespace sluice
