// SPDX-License-Identifier: Apache-2.0
// Preloaded (LD_PRELOAD) into a program, shifts its wall clock by the milliseconds that the file
// named by $WALL_CLOCK_FILE holds at that moment. The monotonic clock stays what it is. Linked to
// nothing of ours, sanitizers included: it comes before everything.
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

long long shift_ms() {
  const char* const path = std::getenv("WALL_CLOCK_FILE");
  const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[32] = "";
  const ssize_t got = ::read(file, text, sizeof text - 1);
  ::close(file);
  return got > 0 ? std::atoll(text) : 0;
}

timespec shifted(const timespec& time) {
  const long long ms = shift_ms();
  const long long in_second_ns = time.tv_nsec + ms % 1000 * 1'000'000;
  const long long second = time.tv_sec + ms / 1000;
  if (in_second_ns < 0) return {second - 1, in_second_ns + 1'000'000'000};
  return {second + in_second_ns / 1'000'000'000, in_second_ns % 1'000'000'000};
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const auto status = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    *time = shifted(*time);
  }
  return status;
}

int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  timespec now{};
  if (::clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  if (::clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
}
