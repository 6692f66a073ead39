// SPDX-License-Identifier: Apache-2.0
// What goes into a statement and what comes back.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct pg_result;

namespace sluice {

/// A parameter of a statement; `oid` 0 lets Postgres infer the type from the text.
struct Parameter {
  std::string bytes{};
  unsigned oid = 0;
  bool binary = false;
  bool null = false;
};
Parameter text_parameter(std::string_view text);
Parameter number_parameter(std::int64_t number);
Parameter null_parameter();
Parameter uuid_parameter(const std::array<std::uint8_t, 16>& uuid);
Parameter bytes_parameter(std::string_view bytes);

class Result {
 public:
  explicit Result(pg_result* result) : result_(result) {}

  int rows() const;
  bool is_null(int row, int column) const;
  /// Text, or bytes of a binary answer; empty when null.
  std::string_view at(int row, int column) const;
  std::int64_t number_at(int row, int column) const;
  bool bool_at(int row, int column) const { return at(row, column) == "t"; }
  /// "COMMIT", "INSERT 0 1".
  std::string_view tag() const;
  /// Rows that a statement or COPY changed, by its tag.
  std::uint64_t changed() const;
  const pg_result* get() const { return result_.get(); }

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace sluice
