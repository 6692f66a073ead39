// SPDX-License-Identifier: Apache-2.0
// The file of --config, and what --show-config tells of it.
#include "job/config/options.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"
#include "tests/fuzz/temporary_folder.h"

namespace sluice::fuzz {

void config(std::string_view input) {
  static const TemporaryFolder folder;
  const std::string path = folder.write("config", input);
  const auto environment = [&](const char* name) {
    return std::string_view(name) == "SLUICE_CONFIG" ? path : "";
  };
  std::string said;
  const auto settings =
      unless_refused([&] { return Settings("run", {}, environment); }, Fault::usage, &said);
  must_hold(said.size() < 500, "a refusal is short");
  must_hold(said.find_first_of("\n\t\x1b") == std::string::npos, "and of one line");
  if (!settings) return;
  must_hold(settings->count("receivers") >= 1 && settings->count("receivers") <= 128,
            "a count that was taken is in its range");
  for (const Settings::Shown& shown : settings->shown()) {
    must_hold(shown.origin == path || shown.origin == "default" || shown.origin == "not set" ||
                  shown.name == "config",
              "a setting has an origin");
  }
}

}  // namespace sluice::fuzz
