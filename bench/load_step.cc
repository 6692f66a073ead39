// SPDX-License-Identifier: Apache-2.0
#include "bench/load_step.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "bench/login.h"
#include "job/base/random.h"
#include "job/warehouse/copy_stream.h"

namespace sluice {
namespace {

constexpr std::uint32_t kFewestWindows = 5;
constexpr std::uint32_t kDuplicateOneOf = 100;

}  // namespace

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double ratio(const std::vector<double>& these, const std::vector<double>& those) {
  std::vector<double> ratios;
  std::ranges::transform(these, those, std::back_inserter(ratios), std::divides());
  return median(ratios);
}

LoadStep::LoadStep(const TestCluster& cluster)
    : folder_(std::filesystem::temp_directory_path() / ("sluice-load-" + random_uuid())),
      database_(cluster),
      connection_(database_.loader_conninfo(), never_),
      server_(database_.processes(static_cast<int>(
          connection_.execute("SELECT pg_backend_pid()", "asking").number_at(0, 0)))) {}

LoadStep::~LoadStep() {
  windows_.reset();
  std::filesystem::remove_all(folder_);
}

void LoadStep::refill(std::uint64_t ids, std::int64_t jitter_ms) {
  windows_.reset();
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directory(folder_);
  database_.refill(ids, jitter_ms);
  windows_.emplace(folder_ / "checkpoint.db", jitter_ms, ids);
  hints_ = {};
}

Measured LoadStep::measure(std::uint32_t window, Duplicates duplicates, std::uint32_t rows) {
  const std::uint32_t rounds = std::max(kFewestWindows, rows / window);
  if (duplicates == Duplicates::elsewhere) {
    LoadHints others;
    load(windows_->next_elsewhere(rounds * window / kDuplicateOneOf), others);
  }
  load(windows_->next(window, Duplicates::none), hints_);  // what comes again is among these
  Measured measured;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    const SealedWindow sealed = windows_->next(window, duplicates);
    add(measured.bare, window, 1.0 / rounds, [&] { copy_bare(sealed); });
    add(measured.load, window, 1.0 / rounds, [&] { load(sealed, hints_); });
  }
  return measured;
}

void LoadStep::add(Cost& cost, double rows, double share, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const ServerCpu server_before = server_.cpu();
  const std::int64_t own_before = own_cpu_ns();
  work();
  const std::int64_t own = own_cpu_ns() - own_before;
  const ServerCpu server = server_.cpu() - server_before;
  const std::chrono::nanoseconds wall = std::chrono::steady_clock::now() - start;
  const auto us = [&](std::int64_t ns) { return static_cast<double>(ns) / 1000 / rows; };
  cost.backend.push_back(us(server.backend));
  cost.wall.push_back(us(wall.count()));
  cost.background += us(server.background) * share;
  cost.others += us(server.others) * share;
  cost.client += us(own) * share;
}

void LoadStep::copy_bare(const SealedWindow& window) {
  CopyStream copy(connection_, "public.bare", "copying into the bare target");
  for (const StagedMessage& message : window.messages) copy.append(message.rows.front().tuple);
  copy.finish();
}

void LoadStep::load(const SealedWindow& window, LoadHints& hints) {
  static const std::string run_id = random_uuid();
  static const LoadLimits limits;
  static const Sealer seal = [](std::string_view, const MessageKey&) -> SealedRow {
    throw std::runtime_error("Postgres refused a row");
  };
  const LoadResult result =
      load_window(connection_, {login_pipeline(), run_id, seal, limits, hints}, window, false);
  if (!std::holds_alternative<Loaded>(result)) throw std::runtime_error("a window did not load");
}

}  // namespace sluice
