// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/result.h"

#include <libpq-fe.h>

#include "job/base/failure.h"
#include "job/base/text.h"

namespace sluice {
namespace {

constexpr Oid kBytea = 17;
constexpr Oid kUuid = 2950;

}  // namespace

Parameter text_parameter(std::string_view text) { return {.bytes = std::string(text)}; }
Parameter number_parameter(std::int64_t number) { return {.bytes = std::to_string(number)}; }
Parameter null_parameter() { return {.null = true}; }
Parameter bytes_parameter(std::string_view bytes) {
  return {.bytes = std::string(bytes), .oid = kBytea, .binary = true};
}
Parameter uuid_parameter(const std::array<std::uint8_t, 16>& uuid) {
  return {.bytes = std::string(uuid.begin(), uuid.end()), .oid = kUuid, .binary = true};
}

void Result::Clear::operator()(pg_result* result) const { PQclear(result); }

int Result::rows() const { return PQntuples(result_.get()); }

bool Result::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Result::at(int row, int column) const {
  require(row < rows() && column < PQnfields(result_.get()), "a cell outside of the answer");
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Result::number_at(int row, int column) const {
  const auto number = parse_integer<std::int64_t>(at(row, column));
  require(number.has_value(), "an answer that should be a number");
  return *number;
}

std::string_view Result::tag() const { return PQcmdStatus(result_.get()); }

std::uint64_t Result::changed() const {
  return parse_integer<std::uint64_t>(PQcmdTuples(result_.get())).value_or(0);
}

}  // namespace sluice
