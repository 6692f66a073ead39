// SPDX-License-Identifier: Apache-2.0
// COPY … FROM STDIN (FORMAT binary), fed tuple by tuple.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "job/warehouse/connection.h"

namespace sluice {

class CopyStream {
 public:
  /// `into` names relation and columns, quoted. Every call throws PostgresError.
  CopyStream(Connection& connection, const std::string& into, std::string doing);

  /// Where the next tuple is to be appended, from its field count to its last field.
  std::string& begin_tuple();
  void append(std::string_view tuple) { begin_tuple().append(tuple); }
  /// Returns how many there were. The server must have taken every one: a binary COPY that is cut
  /// at a row boundary succeeds.
  std::uint64_t finish();

 private:
  void put();

  Connection& connection_;
  std::string doing_;
  std::string chunk_;
  std::uint64_t tuples_ = 0;
  bool stopped_ = false;  // the server has refused a row already; what follows is not worth sending
};

}  // namespace sluice
