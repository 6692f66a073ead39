// SPDX-License-Identifier: Apache-2.0
// COPY BINARY tuples of values that are ready.
#include <memory>

#include "bench/micro.h"
#include "job/base/copy_binary.h"

namespace sluice {
namespace {

Micro::Work encoding(std::function<void(std::string&)> append) {
  return {[tuple = std::make_shared<std::string>(), append = std::move(append)] {
    tuple->clear();
    append(*tuple);
    benchmark::DoNotOptimize(tuple->data());
  }};
}

const Micro target("encode a COPY tuple of a login", 1, [] {
  return encoding([user = std::string(36, 'u'), mask = std::string(64, 'a')](std::string& tuple) {
    append_field_count(tuple, 7);
    append_bytes_field(tuple, user);
    append_bytes_field(tuple, "android");
    append_bytes_field(tuple, mask);
    append_bytes_field(tuple, mask);
    append_bytes_field(tuple, "RU");
    append_int32_field(tuple, 20'300);
    append_date_field(tuple, 20'777);
  });
});

const Micro ledger("encode a COPY tuple of the ledger", 1, [] {
  return encoding([](std::string& tuple) {
    append_field_count(tuple, 3);
    append_timestamp_field(tuple, 1'795'176'000'000'000);
    append_uuid_field(tuple, {});
    append_bytes_field(tuple, "user_logins");
  });
});

}  // namespace
}  // namespace sluice
