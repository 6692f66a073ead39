// SPDX-License-Identifier: Apache-2.0
#include "bench/login.h"

#include <array>
#include <cstdio>

#include "job/config/pipeline_file.h"

namespace sluice {
namespace {

constexpr std::int64_t kFirstSentMs = 1'795'176'000'000;  // 2026-11-20 12:00 UTC
constexpr std::size_t kReceiptBytes = 372;                // as SQS's are

/// Spreads neighbours (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111ebU;
  return bits ^ bits >> 31;
}

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 300> text{};
  const int size = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string uuid(std::uint64_t seed) {
  const std::uint64_t a = mix(seed);
  const std::uint64_t b = mix(~seed);
  return format("%08x-%04x-4%03x-a%03x-%012llx", static_cast<unsigned>(a >> 32),
                static_cast<unsigned>(a >> 16 & 0xffff), static_cast<unsigned>(a & 0xfff),
                static_cast<unsigned>(b >> 52), static_cast<unsigned long long>(b & (~0ULL >> 16)));
}

}  // namespace

Message login(std::uint64_t number) {
  const std::uint64_t bits = mix(number + 1);
  const auto byte = [&](int at) { return static_cast<unsigned>(bits >> 8 * at & 0xff); };
  Message message;
  message.id = uuid(number);
  message.receipt.assign(kReceiptBytes, static_cast<char>('a' + number % 26));
  message.sent_ms = kFirstSentMs + static_cast<std::int64_t>(number);
  message.body =
      format(R"({"user_id": "%s", "app_version": "%u.%u.%u", "device_type": "android", )"
             R"("ip": "%u.%u.%u.%u", "locale": "RU", "device_id": "%03u-%02u-%04u"})",
             uuid(~number).c_str(), byte(0) % 9 + 1, byte(1) % 10, byte(2) % 10, byte(3) % 200 + 1,
             byte(4), byte(5), byte(6), byte(0) * 3, byte(1) % 100, byte(2) * 39);
  return message;
}

const Pipeline& login_pipeline() {
  static const Pipeline kPipeline =
      read_pipeline(SLUICE_SOURCE_DIR "/pipelines/user_logins/pipeline.json");
  return kPipeline;
}

}  // namespace sluice
