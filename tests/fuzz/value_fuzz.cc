// SPDX-License-Identifier: Apache-2.0
// A JSON literal as a column's type. First line: the type; second: the word of `as`; then the
// literal.
#include <algorithm>

#include "job/base/copy_binary.h"
#include "job/config/column_fit.h"
#include "job/config/column_type.h"
#include "job/record/field.h"
#include "job/record/shown_row.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

As as_named(std::string_view name) {
  const auto words = as_words();
  const auto word = std::find_if(words.begin(), words.end(),
                                 [&](const AsWord& each) { return each.word == name; });
  return word == words.end() ? As::is : word->as;
}

struct Made {
  MaybeRejection fault;
  std::string tuple;
};

/// The row of one column that the object's member v makes.
Made made(const Column& column, const std::string& json) {
  Body body;
  if (auto fault = body.decode(json)) return {fault, ""};
  const Message message;
  Value value;
  std::string scratch;
  if (auto fault = read(column.source, {body, message}, value, scratch)) return {fault, ""};
  if (auto fault = convert(column.as, value, scratch)) return {fault, ""};
  Made row;
  append_field_count(row.tuple, 1);
  row.fault = append_field(row.tuple, value, column.type);
  return row;
}

void check_row(Column column, const std::string& tuple, std::size_t input_size) {
  constexpr std::size_t kHead = 6;  // the count of fields and the field's length
  must_hold(tuple.size() >= kHead, "a row has a field");
  // A numeric has up to 1000 digits behind the point; JSON prints an escape as one to six bytes.
  must_hold(tuple.size() <= 1024 + 6 * input_size, "a field is bounded");
  const std::string shown = shown_row({"public", "t", {column}, {}}, tuple);
  if (column.type.kind == ColumnType::Kind::bytea) return;  // Postgres shows it in another form
  // A zone may lead out of the years that are read.
  if (shown.starts_with("{\"v\":\"0000-") || shown.starts_with("{\"v\":\"10000-")) return;
  column.as = As::is;
  const Made again = made(column, shown);
  must_hold(!again.fault, "what is shown is accepted: " + shown);
  must_hold(again.tuple == tuple, "and becomes the same field: " + shown);
}

}  // namespace

void value(std::string_view input) {
  const auto type = parse_type(take_line(input));
  if (!type) return;
  const auto again = parse_type(postgres_name(*type));
  must_hold(again && postgres_name(*again) == postgres_name(*type), "Postgres's name is a type");
  const Column column{.name = "v",
                      .source = {Source::Kind::field, "v", {"v"}},
                      .type = *type,
                      .as = as_named(take_line(input)),
                      .mask = {}};
  if (misfit_of(column)) return;
  const Made row = made(column, "{\"v\":" + std::string(input) + "}");
  if (row.fault) {
    const std::string said = without(row.fault->detail, postgres_name(*type));
    must_hold(!repeats(said, input), "a rejection tells nothing of the value");
  } else {
    check_row(column, row.tuple, input.size());
  }
}

}  // namespace sluice::fuzz
