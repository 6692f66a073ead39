// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/target.h"

#include <algorithm>
#include <functional>

#include "job/base/text.h"
#include "job/warehouse/copy_stream.h"
#include "job/warehouse/sql_text.h"

namespace sluice {
namespace {

// Once a row was refused, a slice is what is sent again for the next one: small enough that a
// thousand refusals are cheap, large enough that a window with one refusal stays a few COPYs.
constexpr std::size_t kSlice = 200;
constexpr std::string_view kUniqueViolation = "23505";

/// The fault of a row, not of the table: data exceptions, violated constraints and checks of views,
/// and what a trigger raises. A malformed binary field (22P03, 22P04) is not: there the columns
/// themselves have changed.
bool refuses_a_row(std::string_view sqlstate) {
  if (sqlstate == "22P03" || sqlstate == "22P04") return false;
  return sqlstate.starts_with("22") || sqlstate.starts_with("23") || sqlstate == "44000" ||
         sqlstate == "P0001";
}

class TargetCopy {
 public:
  TargetCopy(Connection& connection, std::span<const Table> tables)
      : connection_(connection), tables_(tables) {
    counts_.rows.resize(tables.size());
  }

  void copy(const Messages& messages) {
    if (!attempt(messages)) return;
    for (std::size_t at = 0; at < messages.size(); at += kSlice) {
      const auto begin = messages.begin() + static_cast<std::ptrdiff_t>(at);
      isolate({begin, begin + static_cast<std::ptrdiff_t>(std::min(kSlice, messages.size() - at))});
    }
  }

  TargetCounts take() { return std::move(counts_); }

 private:
  struct Fault {
    std::size_t table;
    std::optional<std::size_t> message;  // position, when the server named the line
    Diagnosis diagnosis;
  };

  /// All of them, or nothing and the fault that prevented it.
  std::optional<Fault> attempt(const Messages& messages) {
    connection_.execute("SAVEPOINT sluice_rows", "copying rows");
    std::vector<std::uint64_t> rows(tables_.size());
    for (std::size_t table = 0; table < tables_.size(); ++table) {
      try {
        rows[table] = copy_table(table, messages);
      } catch (const PostgresError& error) {
        if (!refuses_a_row(error.diagnosis().sqlstate)) throw;
        connection_.execute("ROLLBACK TO SAVEPOINT sluice_rows", "setting a refused row apart");
        const auto line = refused_line(error.diagnosis().context, tables_[table].name);
        return Fault{table, line ? owner_of(*line, table, messages) : std::nullopt,
                     error.diagnosis()};
      }
    }
    connection_.execute("RELEASE SAVEPOINT sluice_rows", "copying rows");
    std::ranges::transform(rows, counts_.rows, counts_.rows.begin(), std::plus<>());
    return std::nullopt;
  }

  /// Returns how many rows.
  std::uint64_t copy_table(std::size_t table, const Messages& messages) {
    std::optional<CopyStream> copy;
    for (const StagedMessage* message : messages) {
      for (const StagedRow& row : message->rows) {
        if (row.table != table) continue;
        if (!copy) {
          copy.emplace(connection_, columns_of(tables_[table]),
                       "copying into " + tables_[table].text());
        }
        copy->append(row.tuple);
      }
    }
    return copy ? copy->finish() : 0;
  }

  /// The message whose row was the `line`th, from 1.
  static std::optional<std::size_t> owner_of(std::uint64_t line, std::size_t table,
                                             const Messages& messages) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
      for (const StagedRow& row : messages[i]->rows) {
        if (row.table == table && --line == 0) return i;
      }
    }
    return std::nullopt;
  }

  /// Without a line (a foreign key, a trigger at the end of the statement) the fault is found by
  /// halving.
  void isolate(Messages slice) {
    while (!slice.empty()) {
      const std::optional<Fault> fault = attempt(slice);
      if (!fault) return;
      if (fault->message || slice.size() == 1) {
        const auto at = slice.begin() + static_cast<std::ptrdiff_t>(fault->message.value_or(0));
        set_apart(**at, *fault);
        slice.erase(at);
        continue;
      }
      const auto middle = slice.begin() + static_cast<std::ptrdiff_t>(slice.size() / 2);
      isolate({slice.begin(), middle});
      return isolate({middle, slice.end()});
    }
  }

  /// Only a key that the pipeline file names as `unique` says that a row is a duplicate. Any other
  /// unique index may complain for reasons of its own, such as a sequence that lags behind, and its
  /// rows must not vanish.
  void set_apart(const StagedMessage& message, const Fault& fault) {
    const Table& table = tables_[fault.table];
    const Diagnosis& diagnosis = fault.diagnosis;
    if (diagnosis.sqlstate == kUniqueViolation && !table.unique.empty()) {
      ++counts_.duplicates;
      return;
    }
    const auto column = std::ranges::find(table.columns, diagnosis.column, &Column::name);
    counts_.refusals.push_back({&message, diagnosis.sqlstate,
                                column == table.columns.end() ? "" : column->source.text,
                                diagnosis.constraint});
  }

  static std::string columns_of(const Table& table) {
    std::string text;
    for (const Column& column : table.columns)
      text += (text.empty() ? " (" : ", ") + quoted(column.name);
    return quoted(table) + text + ")";
  }

  Connection& connection_;
  std::span<const Table> tables_;
  TargetCounts counts_;
};

}  // namespace

TargetCounts copy_to_target(Connection& connection, std::span<const Table> tables,
                            const Messages& messages) {
  TargetCopy target(connection, tables);
  target.copy(messages);
  return target.take();
}

std::optional<std::uint64_t> refused_line(std::string_view context, std::string_view table) {
  const std::string start = "COPY " + std::string(table) + ",";
  for (std::string_view line : split(context, '\n')) {
    if (!line.starts_with(start)) continue;
    line.remove_prefix(start.size());
    const std::size_t digit = line.find_first_of("0123456789");
    if (digit == line.npos) return std::nullopt;
    return parse_integer<std::uint64_t>(
        line.substr(digit, line.find_first_not_of("0123456789", digit) - digit));
  }
  return std::nullopt;
}

}  // namespace sluice
