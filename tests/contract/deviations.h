// SPDX-License-Identifier: Apache-2.0
// Where servers by others are not like AWS, as the contract of the queue met it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace sluice {

/// The case fails on that server, first in the assertion named here. When it does not, the line is
/// to be deleted, and the suite says so.
struct Deviation {
  std::string_view server;
  std::string_view test;
  std::string_view assertion;
  std::string_view what;
  std::string_view source;
};
inline constexpr Deviation kDeviations[] = {
    {"elasticmq", "a_stale_handle_is_accepted", "done(remove(handles_of(first)))",
     "refuses it with ReceiptHandleIsInvalid; AWS answers success and deletes nothing",
     "run against 1.7.1; AWS: API reference of DeleteMessage"},
    {"elasticmq", "a_fifo_delete_after_its_time_fails", "results[0].done",
     "deletes; AWS refuses with ReceiptHandleIsInvalid",
     "run against 1.7.1; AWS: aws-sdk-js #1750"},
    {"moto", "a_fifo_delete_after_its_time_fails", "results[0].done",
     "deletes; AWS refuses with ReceiptHandleIsInvalid",
     "run against 5.2.5; AWS: aws-sdk-js #1750"},
    {"moto", "fifo_sequence_numbers_grow_in_the_order_sent", "is_sorted(sequences, as_number)",
     "draws them at random; AWS counts upwards",
     "run against 5.2.5; AWS: API reference of SendMessage"},
};

/// Turns the failures of a case that is in the table into its success, and their absence into its
/// failure.
class DeviationWatch {
 public:
  void begin(std::string_view server) {
    const std::string_view name =
        testing::UnitTest::GetInstance()->current_test_info()->name();  // "case/server"
    const auto* const found = std::ranges::find_if(kDeviations, [&](const Deviation& known) {
      return known.server == server && known.test == name.substr(0, name.find('/'));
    });
    if (found == std::end(kDeviations)) return;
    known_ = found;
    reporter_ = std::make_unique<testing::ScopedFakeTestPartResultReporter>(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results_);
  }

  void end() {
    if (!reporter_) return;
    reporter_.reset();
    for (int i = 0; i < results_.size(); ++i) {
      const testing::TestPartResult& result = results_.GetTestPartResult(i);
      if (!result.failed()) continue;
      EXPECT_NE(std::string_view(result.message()).find(known_->assertion), std::string_view::npos)
          << known_->server << " deviates otherwise than is known: " << result.message();
      return;
    }
    ADD_FAILURE() << known_->server << " no longer deviates; it is known that it " << known_->what
                  << " (" << known_->source << ")";
  }

 private:
  const Deviation* known_ = nullptr;
  testing::TestPartResultArray results_;
  std::unique_ptr<testing::ScopedFakeTestPartResultReporter> reporter_;
};

}  // namespace sluice
