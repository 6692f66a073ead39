// SPDX-License-Identifier: Apache-2.0
#include "job/base/log.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Log, says_nothing_after_its_end_whoever_has_something_to_say) {
  Log log;
  log.configure(LogFormat::json, Level::debug);
  testing::internal::CaptureStderr();
  log.write(Level::info, "before", "the end");
  log.end();
  log.write(Level::error, "after", "the end");
  log.write_with_hint(Level::warning, "after", "the end", "say it earlier");
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("\"event\":\"before\""), std::string::npos) << said;
  EXPECT_EQ(said.find("after"), std::string::npos) << said;
}

}  // namespace
}  // namespace sluice
