// SPDX-License-Identifier: Apache-2.0
// Times the micro benchmarks, a message. For instructions.py it says what they are (--names), and
// runs one (--count NAME), which callgrind watches, and says for how many messages.
#include "bench/micro.h"

#include <cstdio>
#include <string_view>
#include <utility>

namespace sluice {

constexpr int kCounted = 200;  // messages at least

std::vector<Micro>& Micro::registered() {
  static std::vector<Micro> all;
  return all;
}

Micro::Micro(std::string name, int messages, std::function<Work()> prepare)
    : name_(std::move(name)), messages_(messages), prepare_(std::move(prepare)) {
  registered().push_back(*this);
}

/// callgrind counts in here, by its name.
[[gnu::noinline]] void count_instructions_of(const std::function<void()>& step, int times) {
  for (int time = 0; time < times; ++time) step();
}

namespace {

void count(const Micro& micro) {
  const Micro::Work work = micro.prepare();
  work.step();  // memory that is kept from then on
  if (work.restore) work.restore();
  const int times = work.restore ? 1 : (kCounted + micro.messages() - 1) / micro.messages();
  count_instructions_of(work.step, times);
  std::printf("%d\n", times * micro.messages());
}

void time(benchmark::State& state, const Micro& micro) {
  const Micro::Work work = micro.prepare();
  for (auto _ : state) {
    work.step();
    if (!work.restore) continue;
    state.PauseTiming();
    work.restore();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * micro.messages());
}

/// Everything a message; the library's own table tells of steps.
class Table : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override {
    std::printf("%10s %13s %12s\n", "ns", "processor ns", "messages/s");
    return true;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const double rate = run.counters.at("items_per_second").value;
      const double messages = rate * run.real_accumulated_time;
      std::printf("%10.1f %13.1f %12.0f  %s\n", 1e9 / rate,
                  1e9 * run.cpu_accumulated_time / messages, rate,
                  run.run_name.function_name.c_str());
    }
    std::fflush(stdout);
  }
};

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  const std::string_view wish = argc > 1 ? argv[1] : "";
  for (const sluice::Micro& micro : sluice::Micro::all()) {
    if (wish == "--names") {
      std::printf("%s\n", micro.name().c_str());
    } else if (wish == "--count" && argc == 3 && micro.name() == argv[2]) {
      sluice::count(micro);
    } else {
      benchmark::RegisterBenchmark(micro.name().c_str(), sluice::time, micro)->UseRealTime();
    }
  }
  if (wish == "--names" || wish == "--count") return 0;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  sluice::Table table;
  benchmark::RunSpecifiedBenchmarks(&table);
  return 0;
}
