// SPDX-License-Identifier: Apache-2.0
// What libFuzzer calls. One program for all targets, named by the variable FUZZ: the processes that
// libFuzzer starts for a merge or a minimisation inherit it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/targets.h"

namespace {

const sluice::fuzz::Target& target() {
  const char* const name = std::getenv("FUZZ");
  return sluice::fuzz::target_named(name == nullptr ? "" : name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sluice::fuzz::Target& chosen = target();
  chosen.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
