// SPDX-License-Identifier: Apache-2.0
#include "job/record/unwrap.h"

#include "job/base/encoding.h"
#include "job/base/secret.h"
#include "job/record/decode.h"
#include "job/record/s3_pointer.h"

namespace sluice {

Unwrapper::Unwrapper(const Pipeline& pipeline)
    : unwraps_sns_(pipeline.unwrap_sns), encoding_(pipeline.encoding) {
  if (encoding_ != Encoding::none) bytes_.reserve(Body::kMostBytes);  // so that it never grows
  if (encoding_ == Encoding::gzip) gunzip_.emplace(Body::kMostBytes);
}

Unwrapper::~Unwrapper() { wipe(bytes_); }

MaybeRejection Unwrapper::unwrap(std::string_view body) {
  json_ = body;
  if (unwraps_sns_) {
    if (auto fault = envelope_.open(body)) return fault;
    if (envelope_.is_open()) json_ = envelope_.message();
  }
  return encoding_ == Encoding::none ? std::nullopt : decode();
}

MaybeRejection Unwrapper::decode() {
  if (auto fault = Body::check_size(json_)) return fault;
  bytes_.assign(json_);
  // As MIME's tools write it: in lines.
  std::erase_if(bytes_, [](char c) { return c == '\r' || c == '\n'; });
  if (!decode_base64(bytes_)) {
    // The extended client encodes nothing: it puts its pointer in the body's place.
    return refuse_s3_pointer(json_).value_or(
        Rejection{Reason::bad_encoding, "the body is not base64"});
  }
  json_ = bytes_;
  if (encoding_ == Encoding::base64) return std::nullopt;
  const auto text = gunzip_->inflate(bytes_);
  if (!text) return Rejection{Reason::bad_encoding, "the body is not gzip in base64"};
  json_ = *text;
  return std::nullopt;
}

}  // namespace sluice
