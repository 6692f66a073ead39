// SPDX-License-Identifier: Apache-2.0
// The program on a machine of its own, installed as cron/README.md tells a newcomer, with the queue
// and the database of a LoginWorld.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/schedulers/own_machine.h"
#include "tests/support/login_world.h"

namespace sluice {

/// The files that cron/README.md has an operator write, with what leads to `world`.
std::string pg_service(LoginWorld& world);
std::string aws_credentials(LoginWorld& world);
std::string aws_config(LoginWorld& world);

class Installed : public testing::Test {
 protected:
  /// Skips the test where no such machine can be had; with CI=true that is a failure,
  /// because nobody would see it.
  void SetUp() override;
  /// Boots it and follows the README's "Once, as root".
  void install(const std::string& init);
  /// What stands under that heading of cron/README.md to be typed, the `number`th block, from 0.
  static std::string commands(const std::string& heading, int number = 0);
  /// Into /etc/sluice, in place of what is there; its owner stays.
  void write_secret(const std::string& name, const std::string& content) const;

  LoginWorld world;
  std::unique_ptr<OwnMachine> machine;
};

}  // namespace sluice
