// SPDX-License-Identifier: Apache-2.0
#include "job/record/s3_pointer.h"

#include <algorithm>

namespace sluice {
namespace {

/// Takes `token` off the front, and the white space before it.
bool take(std::string_view& json, std::string_view token) {
  json.remove_prefix(std::min(json.find_first_not_of(" \t\r\n"), json.size()));
  if (!json.starts_with(token)) return false;
  json.remove_prefix(token.size());
  return true;
}

}  // namespace

MaybeRejection refuse_s3_pointer(std::string_view json) {
  // What the clients for Java and Python write today, and what the one for Java wrote before.
  constexpr std::string_view kClass = R"("software.amazon.payloadoffloading.PayloadS3Pointer")";
  constexpr std::string_view kOldClass = R"("com.amazon.sqs.javamessaging.MessageS3Pointer")";
  const bool is_pointer = take(json, "[") && (take(json, kClass) || take(json, kOldClass)) &&
                          take(json, ",") && take(json, "{");
  if (!is_pointer) return std::nullopt;
  return Rejection{Reason::not_an_object,
                   "a pointer of the SQS extended client: the body lies in S3, which is not read"};
}

}  // namespace sluice
