// SPDX-License-Identifier: Apache-2.0
#include "job/cli/metrics_files.h"

#include <filesystem>

#include "job/base/file.h"
#include "job/base/log.h"
#include "job/pipeline/metrics.h"

namespace sluice {
namespace {

/// "login.prom" → "login-success.prom"
std::string success_file_beside(const std::string& path) {
  constexpr std::string_view kSuffix = ".prom";
  const std::string stem =
      path.ends_with(kSuffix) ? path.substr(0, path.size() - kSuffix.size()) : path;
  return stem + "-success" + std::string(kSuffix);
}

/// None when there was no run before.
std::string metrics_before(const std::string& path) {
  constexpr std::size_t kMost = 1 << 20;
  try {
    if (!std::filesystem::is_regular_file(path)) return "";
    return read_file(path, kMost, "metrics-file");
  } catch (const std::exception&) {
    return "";
  }
}

/// For every reader: node_exporter is another user than the job, whose umask may be strict.
void write_unless_refused(const std::string& path, const std::string& content,
                          std::string_view what) {
  if (path.empty()) return;
  try {
    write_file(path, content, what, Mode::shared);
  } catch (const Failure& failure) {
    log().write_with_hint(Level::warning, "not-written", failure.message(), failure.hint());
  }
}

}  // namespace

MetricsFiles::MetricsFiles(const Settings& settings) {
  if (settings.flag("dry-run")) return;
  last_run_ = settings.text("metrics-file");
  last_success_ = settings.text("success-file");
  if (last_success_.empty() && !last_run_.empty()) last_success_ = success_file_beside(last_run_);
}

void MetricsFiles::begun(const RunFacts& facts) const {
  if (last_run_.empty()) return;
  write_unless_refused(last_run_, with_start(metrics_before(last_run_), facts), "metrics-file");
}

void MetricsFiles::ended(const Summary& summary) const {
  if (summary.failure && summary.failure->fault() == Fault::locked) return;
  write_unless_refused(last_run_, to_metrics(summary), "metrics-file");
  if (!summary.succeeded()) return;
  write_unless_refused(last_success_, to_success_metrics(summary), "success-file");
}

}  // namespace sluice
