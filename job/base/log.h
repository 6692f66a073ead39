// SPDX-License-Identifier: Apache-2.0
// What is said to an operator, on standard error: text on a terminal, JSON lines elsewhere.
//
// A line is an event with fields. One that nobody reads is lost after a second, and those that are
// lost are counted in the next that is read. No field ever holds a message's body or a value from
// it; a message id may be told.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice {

enum class Level { error, warning, info, debug };
enum class LogFormat { text, json };

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double> value;
};

class Log {
 public:
  /// Text when standard error is a terminal, else JSON; level info.
  Log();

  void configure(LogFormat format, Level level);
  /// Fields that every later JSON line carries: run_id, run_group, worker, pipeline.
  void set_context(std::string name, std::string value);

  /// `event` is a short constant such as "window-loaded"; `text` is the sentence for a person.
  void write(Level level, std::string_view event, std::string_view text,
             const std::vector<LogField>& fields = {});
  /// A line with a hint: in text on a line of its own, in JSON a field.
  void write_with_hint(Level level, std::string_view event, std::string_view text,
                       std::string_view hint);

  /// One line that is overwritten in place, for a terminal only; an empty text removes it.
  void live(std::string_view text);

  /// Nothing is said from now on, by no thread: the last line is the caller's.
  void end();

  bool shows(Level level) const { return level <= level_; }
  bool on_terminal() const { return terminal_; }
  LogFormat format() const { return format_; }

 private:
  std::string line_of(Level level, std::string_view event, std::string_view text,
                      const std::vector<LogField>& fields = {}) const;
  void put(const std::string& line);

  bool terminal_;
  LogFormat format_;
  Level level_ = Level::info;
  std::mutex mutex_;  // of what is written, not of what was configured
  bool live_shown_ = false;
  bool ended_ = false;
  std::uint64_t lost_ = 0;  // lines, since one was last written
  std::vector<std::pair<std::string, std::string>> context_;
};

/// The one log of the process. A line is written with one call, from any thread; it is configured
/// before there are others.
Log& log();

}  // namespace sluice
