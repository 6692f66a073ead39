// SPDX-License-Identifier: Apache-2.0
// What a run measured beside its accounts. Nothing decides by it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>

namespace sluice {

struct Measures {
  std::int64_t receive_ns = 0;  // with at least one receive under way, also one that waits
  std::int64_t decode_ns = 0;   // of the processor, as of the next two
  std::int64_t validate_ns = 0;
  std::int64_t mask_ns = 0;
  std::int64_t stage_ns = 0;    // commits of the checkpoint that hold messages
  std::int64_t load_ns = 0;     // load transactions, those that failed too
  std::int64_t delete_ns = 0;   // with at least one delete under way
  std::uint64_t bytes_in = 0;   // bodies received
  std::uint64_t bytes_out = 0;  // windows learned to be committed: masked rows, sealed rejections
  std::uint64_t load_retries = 0;
  std::uint64_t unmapped_fields = 0;
  std::map<std::string_view, std::uint64_t> masked_values = {};  // by method
};

/// A part of the run's time. Parts run side by side: together they may be longer than the run.
struct StageTime {
  std::string_view name;
  std::int64_t Measures::*ns;
};
inline constexpr std::array kStageTimes = {
    StageTime{"receive", &Measures::receive_ns},   StageTime{"decode", &Measures::decode_ns},
    StageTime{"validate", &Measures::validate_ns}, StageTime{"mask", &Measures::mask_ns},
    StageTime{"stage", &Measures::stage_ns},       StageTime{"load", &Measures::load_ns},
    StageTime{"delete", &Measures::delete_ns},
};

}  // namespace sluice
