// SPDX-License-Identifier: Apache-2.0
#include "job/http/fetch.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "job/base/failure.h"

namespace sluice {
namespace {

constexpr std::int64_t kStepMs = 60'000;

}  // namespace

HttpAnswer fetch(Http& http, HttpRequest request, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [&http] { http.wake(); });
  http.start(0, std::move(request));
  std::vector<HttpAnswer> answers;
  while (answers.empty()) {
    throw_if_stopped(stop);
    http.wait(kStepMs, answers);
  }
  return std::move(answers.front());
}

void pause(std::int64_t ms, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
  throw_if_stopped(stop);
}

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Failure(Fault::temporary, "credentials: no longer wanted", "");
}

}  // namespace sluice
