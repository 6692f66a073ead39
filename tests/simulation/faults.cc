// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/faults.h"

#include <charconv>
#include <stdexcept>
#include <utility>

#include "job/base/text.h"

namespace sluice::simulation {
namespace {

struct Kind {
  std::string_view name;
  double chance;  // of each occasion, in a history that has this kind
};

/// In the order of Fault.
constexpr std::array<Kind, kFaults> kKinds{{
    {"kill", 0.01},
    {"kill-at-write", 0.6},
    {"stop", 0.3},
    {"deliver-again", 0.1},
    {"undelete", 0.1},
    {"lapse", 0.2},
    {"lose-call", 0.05},
    {"lose-answer", 0.05},
    {"fail-entries", 0.2},
    {"refuse-entries", 0.05},
    {"slow-answer", 0.05},
    {"cut", 0.15},
    {"cut-in-commit", 0.3},
    {"database-away", 0.2},
    {"slow-load", 0.3},
    {"disk-full", 0.2},
    {"lose-checkpoint", 0.3},
    {"damage-checkpoint", 0.4},
    {"older-checkpoint", 0.4},
    {"jump-clock", 0.3},
}};

template <typename Number>
Number number_in(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("no number: " + std::string(text));
  }
  return number;
}

Fault fault_named(std::string_view name) {
  for (std::size_t at = 0; at < kFaults; ++at) {
    if (kKinds[at].name == name) return static_cast<Fault>(at);
  }
  throw std::invalid_argument("no kind of fault: " + std::string(name));
}

template <std::size_t... At>
std::array<SeededRandom, kFaults> streams(std::uint64_t seed, std::index_sequence<At...>) {
  return {SeededRandom(seed * 0x100 + 1 + At)...};
}

}  // namespace

std::string_view name_of(Fault fault) { return kKinds[static_cast<std::size_t>(fault)].name; }

std::string Plan::text() const {
  std::string out = "seed=" + std::to_string(seed);
  if (messages > 0) out += ",messages=" + std::to_string(messages);
  if (workers > 0) out += ",workers=" + std::to_string(workers);
  if (most_faults >= 0) out += ",faults=" + std::to_string(most_faults);
  for (const Fault fault : without) out += ",without=" + std::string(name_of(fault));
  for (const int each : spared) out += ",spare=" + std::to_string(each);
  return out;
}

Plan Plan::parse(std::string_view text) {
  Plan plan;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    if (name == "seed") {
      plan.seed = number_in<std::uint64_t>(value);
    } else if (name == "messages") {
      plan.messages = number_in<int>(value);
    } else if (name == "workers") {
      plan.workers = number_in<int>(value);
    } else if (name == "faults") {
      plan.most_faults = number_in<int>(value);
    } else if (name == "without") {
      plan.without.insert(fault_named(value));
    } else if (name == "spare") {
      plan.spared.insert(number_in<int>(value));
    } else {
      throw std::invalid_argument("no part of a plan: " + std::string(part));
    }
  }
  return plan;
}

Faults::Faults(const Plan& plan)
    : plan_(plan), streams_(streams(plan.seed, std::make_index_sequence<kFaults>())) {
  // A history has some kinds and not others: with all of them together, those that end everything
  // would hide what the others do.
  SeededRandom choice(plan.seed);
  for (std::size_t at = 0; at < kFaults; ++at) {
    const bool has = choice.chance(0.4);
    if (has && !plan.without.contains(static_cast<Fault>(at))) chances_[at] = kKinds[at].chance;
  }
  const int drawn = static_cast<int>(choice.below(choice.chance(0.2) ? 40 : 10));
  most_ = plan.most_faults >= 0 ? plan.most_faults : drawn;
}

bool Faults::strikes(Fault fault) {
  const auto at = static_cast<std::size_t>(fault);
  if (ended_ || !streams_[at].chance(chances_[at]) || struck_ >= most_) return false;
  if (plan_.spared.contains(++would_)) return false;
  ++struck_;
  story_.push_back(fault);
  return true;
}

}  // namespace sluice::simulation
