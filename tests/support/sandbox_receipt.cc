// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_receipt.h"

#include "job/base/encoding.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

constexpr std::string_view kPrefix = "AQEB";      // as handles of AWS begin
constexpr std::size_t kNamed = 8 + 4;             // bytes that name message and delivery
constexpr std::size_t kPadded = kNamed + 33 * 8;  // 372 characters as base64 with the prefix

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::string to_handle(std::uint64_t queue_secret, SandboxReceipt receipt) {
  std::string bytes;
  bytes.reserve(kPadded);
  append_big_endian<8>(bytes, receipt.number ^ queue_secret);
  append_big_endian<4>(bytes, receipt.delivery ^ (queue_secret >> 32));
  SeededRandom padding(queue_secret + receipt.number * 0x1000193 + receipt.delivery);
  while (bytes.size() < kPadded) append_big_endian<8>(bytes, padding.next());
  return std::string(kPrefix) + to_base64(bytes);
}

std::optional<SandboxReceipt> from_handle(std::uint64_t queue_secret, std::string_view handle) {
  if (!handle.starts_with(kPrefix)) return std::nullopt;
  const auto bytes = from_base64(handle.substr(kPrefix.size()));
  if (!bytes || bytes->size() != kPadded) return std::nullopt;
  const std::string_view named = *bytes;
  const SandboxReceipt receipt{
      read_big_endian(named.substr(0, 8)) ^ queue_secret,
      static_cast<std::uint32_t>(read_big_endian(named.substr(8, 4)) ^ (queue_secret >> 32))};
  if (to_handle(queue_secret, receipt) != handle) return std::nullopt;
  return receipt;
}

}  // namespace sluice
