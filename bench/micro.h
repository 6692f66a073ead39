// SPDX-License-Identifier: Apache-2.0
// A micro benchmark: one step of a message's way, by itself. Timed by Google Benchmark, and its
// instructions counted by callgrind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace sluice {

class Micro {
 public:
  /// `step` is measured, for so many messages; `restore` comes after it and is not. What they need
  /// is made before, and kept in them.
  struct Work {
    std::function<void()> step;
    std::function<void()> restore = nullptr;
  };

  /// `name` says what is measured. An object of static storage: all are known before main.
  Micro(std::string name, int messages, std::function<Work()> prepare);

  static const std::vector<Micro>& all() { return registered(); }

  const std::string& name() const { return name_; }
  int messages() const { return messages_; }
  Work prepare() const { return prepare_(); }

 private:
  static std::vector<Micro>& registered();

  std::string name_;
  int messages_;
  std::function<Work()> prepare_;
};

}  // namespace sluice
