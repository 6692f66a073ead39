// SPDX-License-Identifier: Apache-2.0
// What the tests of privacy stand on: a LoginWorld that writes whatever it can write, and messages
// with marked values.
#pragma once

#include <string>

#include "tests/end_to_end/scene.h"

namespace sluice {

inline constexpr std::string_view kIp = "198.19.113.237";
inline constexpr std::string_view kDevice = "canary-7f3a-device-41c9";

inline std::string canary_body(const std::string& user, const std::string& device_type = "ios") {
  return R"({"user_id":")" + user + R"(","app_version":"1.2.3","device_type":")" + device_type +
         R"(","ip":")" + std::string(kIp) + R"(","locale":"DE","device_id":")" +
         std::string(kDevice) + "\"}";
}

class Privacy : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, file] : {std::pair{"SLUICE_SUMMARY_FILE", "/summary.json"},
                                     std::pair{"SLUICE_METRICS_FILE", "/metrics.prom"}}) {
      world.variables()[name] = world.folder() + file;
    }
    world.variables()["SLUICE_EMPTY_POLLS"] = "1";
  }

  LoginWorld world;
};

}  // namespace sluice
