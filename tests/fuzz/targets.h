// SPDX-License-Identifier: Apache-2.0
// Every parser that reads what somebody else wrote, as a target: a file FORMAT_fuzz.cc, a folder
// corpus/FORMAT, perhaps a FORMAT.dict.
#pragma once

#include <string_view>

namespace sluice::fuzz {

/// A target takes any bytes and returns. What must hold and does not ends the process.
void archive_messages(std::string_view input);
void batch(std::string_view input);
void canonical(std::string_view input);
void checkpoint(std::string_view input);
void config(std::string_view input);
void credential_json(std::string_view input);
void ini(std::string_view input);
void keyring(std::string_view input);
void message(std::string_view input);
void options(std::string_view input);
void pipeline(std::string_view input);
void quotable(std::string_view input);
void records(std::string_view input);
void sealed(std::string_view input);
void shell_words(std::string_view input);
void sqs_answer(std::string_view input);
void sts_answer(std::string_view input);
void url(std::string_view input);
void value(std::string_view input);

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};
inline constexpr Target kTargets[] = {
    {"archive_messages", archive_messages},
    {"batch", batch},
    {"canonical", canonical},
    {"checkpoint", checkpoint},
    {"config", config},
    {"credential_json", credential_json},
    {"ini", ini},
    {"keyring", keyring},
    {"message", message},
    {"options", options},
    {"pipeline", pipeline},
    {"quotable", quotable},
    {"records", records},
    {"sealed", sealed},
    {"shell_words", shell_words},
    {"sqs_answer", sqs_answer},
    {"sts_answer", sts_answer},
    {"url", url},
    {"value", value},
};

/// Ends the process with a message when there is none of that name.
const Target& target_named(std::string_view name);

}  // namespace sluice::fuzz
