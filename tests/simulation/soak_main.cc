// SPDX-License-Identifier: Apache-2.0
// soak SECONDS [FIRST_SEED]: histories until the time is over or a promise is broken.
// soak PLAN: that history once more, "seed=17,messages=2".
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <random>
#include <string>

#include "tests/simulation/history.h"

namespace {

using namespace sluice::simulation;

int tell(const Plan& plan, const Ending& ending) {
  std::printf("%s\n", report(plan, ending).c_str());
  return ending.broken.empty() ? 0 : 1;
}

int soak(double seconds, std::uint64_t seed) {
  const auto start = std::chrono::steady_clock::now();
  const auto passed = [&start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::uint64_t histories = 0;
  std::uint64_t faults = 0;
  std::uint64_t messages = 0;
  std::printf("soak: from seed %llu on\n", static_cast<unsigned long long>(seed));
  for (; passed() < seconds; ++histories) {
    Plan plan;
    plan.seed = seed + histories;
    const Ending ending = play(plan);
    faults += ending.faults.size();
    messages += static_cast<std::uint64_t>(ending.messages);
    if (ending.broken.empty()) continue;
    tell(plan, ending);
    const Plan small = shrink(plan);
    std::printf("the smallest that breaks it too:\n");
    return tell(small, play(small));
  }
  std::printf("soak: %llu histories, %llu messages, %llu faults, every promise kept\n",
              static_cast<unsigned long long>(histories), static_cast<unsigned long long>(messages),
              static_cast<unsigned long long>(faults));
  return 0;
}

}  // namespace

int main(int count, char** arguments) try {
  if (count < 2 || count > 3) {
    std::fprintf(stderr, "usage: soak SECONDS [FIRST_SEED] | soak seed=N[,…]\n");
    return 2;
  }
  if (std::strchr(arguments[1], '=') != nullptr) {
    const Plan plan = Plan::parse(arguments[1]);
    return tell(plan, play(plan));
  }
  return soak(std::stod(arguments[1]),
              count == 3 ? std::stoull(arguments[2]) : std::random_device()());
} catch (const std::exception& error) {
  std::fprintf(stderr, "soak: %s\n", error.what());
  return 2;
}
