// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/simulation/history.h"

namespace sluice::simulation {
namespace {

/// "no loss", "accounted": what stands before the colon.
std::string promise_of(const std::string& broken) { return broken.substr(0, broken.find(':')); }

class Shrinking {
 public:
  explicit Shrinking(const Plan& plan) : smallest_(plan), ending_(play(plan)) {
    promise_ = promise_of(ending_.broken);
  }

  Plan run() {
    if (ending_.broken.empty()) return smallest_;
    for (bool smaller = true; smaller && tries_ > 0;) {
      smaller = fewer_faults() | without_kinds() | with_fewer(&Plan::messages, ending_.messages) |
                with_fewer(&Plan::workers, ending_.workers) | sparing();
    }
    return smallest_;
  }

 private:
  bool keeps_breaking(const Plan& plan) {
    if (tries_-- <= 0) return false;
    const Ending ending = play(plan);
    if (promise_of(ending.broken) != promise_) return false;
    smallest_ = plan;
    ending_ = ending;
    return true;
  }

  bool fewer_faults() {
    bool smaller = false;
    const auto struck = static_cast<int>(ending_.faults.size());
    for (int most = 0; most < struck && !smaller; most = most * 2 + 1) {
      Plan plan = smallest_;
      if (plan.most_faults >= 0 && most >= plan.most_faults) break;
      plan.most_faults = most;
      smaller = keeps_breaking(plan);
    }
    return smaller;
  }

  bool without_kinds() {
    bool smaller = false;
    for (std::size_t at = 0; at < kFaults; ++at) {
      Plan plan = smallest_;
      const bool is_new = plan.without.insert(static_cast<Fault>(at)).second;
      const bool struck =
          std::ranges::find(ending_.faults, static_cast<Fault>(at)) != ending_.faults.end();
      smaller = (is_new && struck && keeps_breaking(plan)) || smaller;
    }
    return smaller;
  }

  bool with_fewer(int Plan::*part, int now) {
    for (int less = 1; less < now; less = less * 2) {
      Plan plan = smallest_;
      plan.*part = less;
      if (keeps_breaking(plan)) return true;
    }
    return false;
  }

  bool sparing() {
    bool smaller = false;
    const auto would = static_cast<int>(ending_.faults.size() + smallest_.spared.size());
    for (int nth = 1; nth <= would; ++nth) {
      Plan plan = smallest_;
      smaller = (plan.spared.insert(nth).second && keeps_breaking(plan)) || smaller;
    }
    return smaller;
  }

  Plan smallest_;
  Ending ending_;
  std::string promise_;
  int tries_ = 400;
};

}  // namespace

Plan shrink(const Plan& plan) { return Shrinking(plan).run(); }

std::string report(const Plan& plan, const Ending& ending) {
  std::string out = ending.broken + "\n  history " + plan.text() + ": " +
                    std::to_string(ending.messages) + " messages, " +
                    std::to_string(ending.workers) + " workers, " + std::to_string(ending.runs) +
                    " runs; faults:";
  for (const Fault fault : ending.faults) out += " " + std::string(name_of(fault));
  return out + (ending.faults.empty() ? " none" : "");
}

}  // namespace sluice::simulation
