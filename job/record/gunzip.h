// SPDX-License-Identifier: Apache-2.0
// Text out of gzip, within fixed memory.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct z_stream_s;

namespace sluice {

class Gunzip {
 public:
  /// Of what is longer than `most` bytes no more than one byte beyond is made: its size tells.
  explicit Gunzip(std::size_t most);
  ~Gunzip();

  /// The text of one gzip member, or of several behind one another as RFC 1952 allows. None when
  /// there is anything else, or when a checksum does not fit. It lies in here until the next.
  std::optional<std::string_view> inflate(std::string_view gzip);

 private:
  std::string text_;  // of `most` + 1 bytes from the start
  std::unique_ptr<z_stream_s, void (*)(z_stream_s*)> stream_;
};

}  // namespace sluice
