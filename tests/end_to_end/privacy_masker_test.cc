// SPDX-License-Identifier: Apache-2.0
// Whatever a body is, what the masker hands on holds nothing of it in clear: neither the rows nor
// the rejection with its reason, field and detail.
#include <random>

#include "job/config/pipeline_file.h"
#include "job/mask/masker.h"
#include "tests/end_to_end/privacy.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

/// A login whose fields are spoilt at random, each value marked but for those that are loaded in
/// clear: as they are, these stay short and unmarked or are none.
std::string odd_login(SeededRandom& random) {
  const std::string canary = "canary-" + std::to_string(random.below(1000));
  const auto odd = [&]() -> std::string {
    switch (random.below(9)) {
      case 0:
        return "\"" + std::string(kIp) + "\"";
      case 1:
        return "\"" + canary + "\\u0000\"";
      case 2:
        return "\"" + canary + "\\ud800\"";
      case 3:
        return "[\"" + canary + "\",{\"" + canary + "\":\"" + std::string(kIp) + "\"}]";
      case 4:
        return "{\"" + canary + "\":1,\"" + canary + "\":2}";
      case 5:
        return canary;
      case 6:
        return "\"" + std::string(random.below(300), 'x') + canary + "\xff\"";
      case 7:
        return "\"\\u0063\\u0061nary-" + std::to_string(random.below(1000)) + "\"";
      default:
        return "\"" + std::string(200, 'y') + canary + std::string(200, 'y') + "\"";
    }
  };
  std::string body = "{";
  for (const char* masked : {"ip", "device_id"}) {
    if (random.chance(0.9)) body += "\"" + std::string(masked) + "\":" + odd() + ",";
  }
  // Too long, or not of its type: refused.
  for (const char* clear : {"locale", "app_version"}) {
    body += "\"" + std::string(clear) +
            "\":" + (random.chance(0.2) ? "\"" + canary + std::string(40, 'z') + "\"" : "\"1\"") +
            ",";
  }
  if (random.chance(0.2)) body += "\"" + canary + "\":" + odd() + ",";
  body += R"("user_id":"u","device_type":"ios"})";
  if (random.chance(0.1)) body.resize(random.below(body.size()));
  if (random.chance(0.05)) body = odd();
  return body;
}

TEST(PrivacyOfTheMasker, nothing_of_an_odd_body_is_staged_in_clear) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  const Pipeline pipeline =
      read_pipeline(std::string(SLUICE_SOURCE_DIR) + "/pipelines/user_logins/pipeline.json");
  const Keyring keyring = Keyring::generate(0);
  Masker masker(pipeline, keyring);
  CanarySearch search;
  search.add("a piece of padding", "yyyyyyyyyyyy");
  search.add("another", "zzzzzzzzzzzz");
  int rejected = 0;
  constexpr int kRounds = 5000;
  for (int round = 0; round < kRounds; ++round) {
    Message message;
    message.id = "00112233-4455-6677-8899-aabbccddeeff";
    message.sent_ms = 1'795'169'220'123;
    message.body = odd_login(random);
    StagedBatch batch;
    rejected += masker.stage(message, batch).rejected ? 1 : 0;
    ASSERT_EQ(search.found_in(batch.bytes()), "") << message.body;
  }
  EXPECT_GT(rejected, kRounds / 10);
  EXPECT_LT(rejected, kRounds) << "no row was looked at";
}

}  // namespace
}  // namespace sluice
