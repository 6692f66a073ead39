// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/table_check.h"

#include <algorithm>
#include <array>

#include "job/base/text.h"
#include "job/config/column_type.h"

namespace sluice {
namespace {

constexpr std::string_view kDoing = "looking at a table";

struct RealColumn {
  std::string name;
  std::string type;  // of a domain, the type below it
  bool generated;
  bool must_be_given;  // NOT NULL without a default
  bool may_insert;
};

std::vector<RealColumn> columns_of(Connection& connection, std::span<const Parameter> table) {
  const Result result = connection.query(
      "SELECT a.attname, CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)"
      "  ELSE format_type(a.atttypid, a.atttypmod) END,"
      " a.attgenerated <> '', (a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND a.attidentity "
      "= ''"
      "  AND t.typdefault IS NULL, has_column_privilege(c.oid, a.attnum, 'INSERT')"
      " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
      " JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid JOIN pg_catalog.pg_type AS t ON "
      "t.oid = a.atttypid"
      " WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY "
      "a.attnum",
      table, kDoing);
  std::vector<RealColumn> columns;
  columns.reserve(static_cast<std::size_t>(result.rows()));
  for (int row = 0; row < result.rows(); ++row) {
    columns.push_back({std::string(result.at(row, 0)), std::string(result.at(row, 1)),
                       result.bool_at(row, 2), result.bool_at(row, 3), result.bool_at(row, 4)});
  }
  return columns;
}

/// Texts may be wider than the pipeline file says; blank-padded ones only for blank-padded ones.
/// Everything else must be the very type, because COPY BINARY converts nothing.
bool takes(const std::string& real, const ColumnType& wanted) {
  if (!wanted.is_text()) return real == postgres_name(wanted);
  if (real == "text" || real == "character varying") return true;
  const auto type = parse_type(real);
  if (!type || !type->is_text() || wanted.kind == ColumnType::Kind::text) return false;
  if (type->kind == ColumnType::Kind::bpchar && wanted.kind != ColumnType::Kind::bpchar)
    return false;
  return type->length >= wanted.length;
}

/// Never NULL, whatever the message.
bool is_certain(const Column& column) {
  if (column.mask && column.mask->method == MaskMethod::drop) return false;
  if (column.mask && column.mask->method == MaskMethod::redact) return true;
  const bool always_there =
      column.source.kind != Source::Kind::field && column.source.kind != Source::Kind::attribute;
  return always_there || (column.required && !column.nullable);
}

class TableCheck {
 public:
  TableCheck(Connection& connection, const Table& table) : connection_(connection), table_(table) {}

  std::vector<Finding> run() {
    if (!exists()) return findings_;
    const std::vector<RealColumn> real = columns_of(connection_, name_);
    for (const Column& column : table_.columns) {
      const auto found = std::ranges::find(real, column.name, &RealColumn::name);
      found == real.end() ? missing(column) : compare(column, *found);
    }
    for (const RealColumn& column : real) {
      if (column.must_be_given) must_be_given(column);
    }
    if (!table_.unique.empty()) check_unique(real);
    if (findings_.empty()) {
      findings_.push_back(
          {.thing = thing_, .text = std::to_string(table_.columns.size()) + " columns fit"});
    }
    return findings_;
  }

 private:
  bool exists() {
    const Result result = connection_.query(
        "SELECT has_schema_privilege(n.oid, 'USAGE'), coalesce(c.relkind IN ('r', 'p'), false),"
        " c.oid IS NOT NULL, coalesce(row_security_active(c.oid), false)"
        " FROM pg_catalog.pg_namespace AS n LEFT JOIN pg_catalog.pg_class AS c"
        " ON c.relnamespace = n.oid AND c.relname = $2 WHERE n.nspname = $1",
        name_, kDoing);
    if (result.rows() == 0 || !result.bool_at(0, 2)) {
      wrong("missing", "create it, or run `sluice migrate --with-tables`");
    } else if (!result.bool_at(0, 0)) {
      wrong("no right to use its schema", "grant USAGE on schema " + table_.schema, Fault::rights);
    } else if (!result.bool_at(0, 1)) {
      wrong("it is no ordinary table", "name a table, partitioned or not");
    } else if (result.bool_at(0, 3)) {
      wrong("row-level security applies to this user, and COPY refuses that",
            "let the user of this run bypass it, or disable it on the table");
    }
    return findings_.empty();
  }

  void missing(const Column& column) {
    wrong("column " + column.name + " is missing", "compare the table with the pipeline file");
  }

  void compare(const Column& column, const RealColumn& real) {
    if (real.generated) {
      wrong("column " + real.name + " is generated", "leave it out of the pipeline file");
    } else if (!takes(real.type, column.type)) {
      wrong("column " + real.name + " is " + real.type + ", not " + postgres_name(column.type),
            "change the table or the pipeline file");
    }
    if (real.must_be_given && !is_certain(column)) {
      wrong("column " + real.name + " is NOT NULL, and a message may have no value for it",
            "make it required in the pipeline file, or nullable in the table");
    }
    if (!real.may_insert) {
      wrong("no right to insert into column " + real.name,
            "GRANT INSERT ON " + table_.text() + " to the user of this run", Fault::rights);
    }
  }

  void must_be_given(const RealColumn& real) {
    if (std::ranges::find(table_.columns, real.name, &Column::name) != table_.columns.end()) return;
    wrong("column " + real.name +
              " is NOT NULL without a default, and the pipeline file does not name it",
          "name it there, or give it a default");
  }

  /// Without an index over exactly these columns nothing would recognise a row that comes again.
  void check_unique(const std::vector<RealColumn>& real) {
    std::string list;
    for (const std::string& column : table_.unique) {
      if (std::ranges::find(real, column, &RealColumn::name) == real.end()) {
        return wrong("unique column " + column + " is missing",
                     "compare the table with the pipeline file");
      }
      list += (list.empty() ? "" : ", ") + column;
    }
    const Result indexes = connection_.query(
        "SELECT array_to_string(ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute AS a"
        "  WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])), "
        "E'\\n')"
        " FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid"
        " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = $2 AND i.indisunique AND i.indisvalid AND i.indpred "
        "IS NULL"
        " AND i.indexprs IS NULL",
        name_, kDoing);
    std::vector<std::string_view> wanted(table_.unique.begin(), table_.unique.end());
    std::ranges::sort(wanted);
    for (int row = 0; row < indexes.rows(); ++row) {
      std::vector<std::string_view> columns = split(indexes.at(row, 0), '\n');
      std::ranges::sort(columns);
      if (columns == wanted) return;
    }
    wrong("no unique index over (" + list + ")",
          "create one, or take `unique` out of the pipeline file");
  }

  void wrong(std::string text, std::string hint, Fault fault = Fault::configuration) {
    findings_.push_back({.ok = false,
                         .fault = fault,
                         .thing = thing_,
                         .text = std::move(text),
                         .hint = std::move(hint)});
  }

  Connection& connection_;
  const Table& table_;
  const std::string thing_ = "table " + table_.text();
  const std::array<Parameter, 2> name_ = {text_parameter(table_.schema),
                                          text_parameter(table_.name)};
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_table(Connection& connection, const Table& table) {
  return TableCheck(connection, table).run();
}

}  // namespace sluice
