// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_receipt.h"

#include "job/base/encoding.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

constexpr std::string_view kPrefix = "AQEB";  // as handles of AWS begin
constexpr std::size_t kNamed = 16;            // characters for message and delivery
constexpr std::size_t kPadding = 352;         // 372 characters in all
constexpr std::size_t kPieces = 4096;         // that a pool has
constexpr std::size_t kPool = (kPieces + kPadding) / 32 * 24;  // bytes, in base64 a third longer

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string make_pool(std::uint64_t seed) {
  SeededRandom random(seed);
  std::string bytes;
  while (bytes.size() < kPool) append_big_endian<8>(bytes, random.next());
  return to_base64(bytes);
}

}  // namespace

SandboxReceipts::SandboxReceipts(std::uint64_t secret)
    : secret_(secret), pool_(make_pool(secret)) {}

std::string SandboxReceipts::handle_of(SandboxReceipt receipt) const {
  std::string named;
  append_big_endian<8>(named, receipt.number ^ secret_);
  append_big_endian<4>(named, receipt.delivery ^ (secret_ >> 32));
  std::string handle;
  handle.reserve(kPrefix.size() + kNamed + kPadding);
  return handle.append(kPrefix).append(to_base64(named)).append(padding_of(receipt));
}

std::optional<SandboxReceipt> SandboxReceipts::read(std::string_view handle) const {
  if (handle.size() != kPrefix.size() + kNamed + kPadding || !handle.starts_with(kPrefix)) {
    return std::nullopt;
  }
  const auto named = from_base64(handle.substr(kPrefix.size(), kNamed));
  if (!named) return std::nullopt;
  const std::string_view bytes = *named;
  const SandboxReceipt receipt{
      read_big_endian(bytes.substr(0, 8)) ^ secret_,
      static_cast<std::uint32_t>(read_big_endian(bytes.substr(8, 4)) ^ (secret_ >> 32))};
  if (handle.substr(kPrefix.size() + kNamed) != padding_of(receipt)) return std::nullopt;
  return receipt;
}

std::string_view SandboxReceipts::padding_of(SandboxReceipt receipt) const {
  SeededRandom random(secret_ + receipt.number * 0x1000193 + receipt.delivery);
  return std::string_view(pool_).substr(random.below(kPieces), kPadding);
}

}  // namespace sluice
