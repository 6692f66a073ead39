// SPDX-License-Identifier: Apache-2.0
#include "job/base/log.h"

#include <boost/json.hpp>
#include <unistd.h>

#include "job/base/clock.h"
#include "job/base/output.h"
#include "job/base/text.h"

namespace sluice {
namespace {

// Messages in hand are held up no longer than that by whoever does not read what is said of them.
constexpr std::int64_t kPatienceMs = 1'000;

std::string_view name_of(Level level) {
  switch (level) {
    case Level::error:
      return "error";
    case Level::warning:
      return "warning";
    case Level::info:
      return "info";
    case Level::debug:
      return "debug";
  }
  return "error";
}

/// Boost.JSON writes UTF-8 as it is; a log line is ASCII, so that no terminal or collector has to
/// guess.
std::string quoted(std::string_view text) { return boost::json::serialize(printable(text, 2000)); }

std::string shown(const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) return quoted(*text);
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  return boost::json::serialize(boost::json::value(std::get<double>(field.value)));
}

}  // namespace

Log::Log()
    : terminal_(::isatty(STDERR_FILENO) == 1),
      format_(terminal_ ? LogFormat::text : LogFormat::json) {}

void Log::configure(LogFormat format, Level level) {
  format_ = format;
  level_ = level;
}

void Log::set_context(std::string name, std::string value) {
  for (auto& [known, old] : context_) {
    if (known == name) {
      old = std::move(value);
      return;
    }
  }
  context_.emplace_back(std::move(name), std::move(value));
}

void Log::write(Level level, std::string_view event, std::string_view text,
                const std::vector<LogField>& fields) {
  if (!shows(level)) return;
  const std::lock_guard lock(mutex_);
  put(line_of(level, event, text, fields));
}

std::string Log::line_of(Level level, std::string_view event, std::string_view text,
                         const std::vector<LogField>& fields) const {
  if (format_ == LogFormat::text) {
    std::string line = "sluice: ";
    if (level == Level::warning) line += "warning: ";
    line += printable(text, 2000);
    for (const LogField& field : fields) {
      if (field.name == "hint")
        line += "\nhint: " + printable(std::get<std::string_view>(field.value), 2000);
    }
    return line + "\n";
  }
  std::string line = "{\"ts\":\"" + rfc3339(now().wall_ms) + "\",\"level\":\"" +
                     std::string(name_of(level)) + "\"";
  for (const auto& [name, value] : context_) line += "," + quoted(name) + ":" + quoted(value);
  line += ",\"event\":" + quoted(event) + ",\"message\":" + quoted(text);
  for (const LogField& field : fields) line += "," + quoted(field.name) + ":" + shown(field);
  return line + "}\n";
}

void Log::write_with_hint(Level level, std::string_view event, std::string_view text,
                          std::string_view hint) {
  if (hint.empty()) {
    write(level, event, text);
  } else {
    write(level, event, text, {{"hint", hint}});
  }
}

void Log::live(std::string_view text) {
  if (!terminal_ || format_ != LogFormat::text || !shows(Level::info)) return;
  const std::lock_guard lock(mutex_);
  if (text.empty() && !live_shown_) return;
  live_shown_ = false;
  put("\r\x1b[2K" + std::string(text));
  live_shown_ = !text.empty();
}

void Log::end() {
  live("");
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

void Log::put(const std::string& line) {
  if (ended_) return;
  std::string whole = live_shown_ ? "\r\x1b[2K" : "";
  live_shown_ = false;
  if (lost_ > 0) {
    whole += line_of(Level::warning, "lines-lost",
                     std::to_string(lost_) + " lines were not written: nobody read them");
  }
  whole += line;
  // After the first loss nobody is waited for until a line gets through again.
  if (write_out(STDERR_FILENO, whole, lost_ > 0 ? 0 : kPatienceMs)) {
    lost_ = 0;
  } else {
    ++lost_;
  }
}

Log& log() {
  static Log the_log;
  return the_log;
}

}  // namespace sluice
