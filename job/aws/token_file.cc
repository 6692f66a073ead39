// SPDX-License-Identifier: Apache-2.0
#include "job/aws/token_file.h"

#include "job/base/failure.h"
#include "job/base/file.h"

namespace sluice {
namespace {

constexpr std::size_t kMostBytes = 64 << 10;  // STS takes 20,000 characters

}  // namespace

Secret read_token(const std::string& path, std::string_view what) {
  try {
    Secret token(read_file(path, kMostBytes, what));
    if (!token.empty()) return token;
  } catch (const Failure& failure) {
    throw Failure(Fault::rights, "credentials: " + failure.message(), failure.hint());
  }
  throw Failure(Fault::rights, "credentials: " + std::string(what) + " " + path + ": is empty",
                "check what writes it");
}

}  // namespace sluice
