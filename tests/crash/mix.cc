// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/mix.h"

#include <algorithm>
#include <cstddef>

namespace sluice {
namespace {

constexpr std::string_view kInTurn = "dfmcso";  // the furthest first
constexpr std::string_view kAtWarehouse = "fmc";

bool is_reached(const Mix& mix) {
  const std::size_t at_warehouse = count_of(mix, kAtWarehouse);
  return is_in_turn(mix) && at_warehouse <= 1 && count_of(mix, "o") <= 1 &&
         (at_warehouse == 1 || count_of(mix, "s") == 0);
}

}  // namespace

std::size_t count_of(const Mix& mix, std::string_view letters) {
  return static_cast<std::size_t>(std::ranges::count_if(
      mix, [letters](char each) { return letters.find(each) != std::string_view::npos; }));
}

std::vector<Mix> mixes_in_turn() {
  std::vector<Mix> mixes;
  for (const char first : kInTurn) {
    for (const char second : kInTurn) {
      mixes.push_back({first, second});
      for (const char third : kInTurn) mixes.push_back({first, second, third});
    }
  }
  std::erase_if(mixes, [](const Mix& mix) { return !is_reached(mix); });
  return mixes;
}

std::vector<Mix> mixes_out_of_turn() { return {"sc", "cd", "wc", "fd"}; }

bool is_in_turn(const Mix& mix) {
  return std::ranges::is_sorted(mix, {}, [](char each) { return kInTurn.find(each); });
}

std::vector<WindowState> states_of(const Mix& mix) {
  std::vector<WindowState> states;
  for (const char each : mix) {
    states.push_back(each == 'o'                             ? WindowState::open
                     : each == 's' || count_of({each}, "mc") ? WindowState::sealed
                                                             : WindowState::loaded);
  }
  return states;
}

Mix in_recovery(const Mix& mix) {
  Mix next = mix;
  std::ranges::replace(next, 'w', 'f');
  std::ranges::replace(next, 'm', 'd');
  std::ranges::replace(next, 'c', 's');
  std::ranges::replace(next, 'o', 's');
  const std::size_t oldest = next.find_first_of("fs");
  if (oldest != Mix::npos && next[oldest] == 's') next[oldest] = 'c';
  return next;
}

}  // namespace sluice
