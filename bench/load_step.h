// SPDX-License-Identifier: Apache-2.0
// The load step, ledger and window record included, and a COPY of the same rows into the bare
// target: what each costs the server and us. The two alternate, window by window.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/load_database.h"
#include "bench/login_windows.h"
#include "bench/server_cpu.h"
#include "job/warehouse/connection.h"
#include "job/warehouse/load.h"

namespace sluice {

/// Of several windows: µs a row.
struct Cost {
  std::vector<double> backend = {};  // by window
  std::vector<double> wall = {};     // by window
  double background = 0;             // checkpointer and walwriter, on average
  double others = 0;
  double client = 0;
};
double median(std::vector<double> values);
/// Of each pair of windows, then the median: what else the machine does meets both.
double ratio(const std::vector<double>& these, const std::vector<double>& those);

struct Measured {
  Cost bare;
  Cost load;
};

class LoadStep {
 public:
  explicit LoadStep(const TestCluster& cluster);
  ~LoadStep();
  LoadStep(const LoadStep&) = delete;
  LoadStep& operator=(const LoadStep&) = delete;

  /// Begins anew with so many ids of the day in the ledger.
  void refill(std::uint64_t ids, std::int64_t jitter_ms);
  Measured measure(std::uint32_t window, Duplicates duplicates, std::uint32_t rows);

 private:
  void add(Cost& cost, double rows, double share, const std::function<void()>& work);
  void copy_bare(const SealedWindow& window);
  void load(const SealedWindow& window, LoadHints& hints);

  std::filesystem::path folder_;
  LoadDatabase database_;
  Interrupt never_;
  Connection connection_;
  ServerProcesses server_;
  std::optional<LoginWindows> windows_;
  LoadHints hints_;
};

}  // namespace sluice
