// SPDX-License-Identifier: Apache-2.0
#include "job/aws/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job/base/clock.h"
#include "job/base/failure.h"
#include "job/http/fetch.h"

namespace sluice {
namespace {

constexpr int kStepMs = 50;

class Pipe {
 public:
  Pipe() {
    // Only our end does not block: most programs do not expect it of theirs.
    require(::pipe2(ends_.data(), O_CLOEXEC) == 0 && ::fcntl(ends_[0], F_SETFL, O_NONBLOCK) == 0,
            "no pipe to be had");
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : ends_) {
      if (end >= 0) ::close(end);
    }
  }
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void close_writing() {
    ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// What is there now, appended up to `most` bytes; false when there was more.
bool take(int pipe, std::string& text, std::size_t most) {
  std::array<char, 4096> buffer;
  bool all = true;
  while (true) {
    const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    const std::size_t room = std::min(most - text.size(), static_cast<std::size_t>(got));
    text.append(buffer.data(), room);
    all = all && room == static_cast<std::size_t>(got);
  }
  ::explicit_bzero(buffer.data(), buffer.size());
  return all;
}

/// An errno, or 0.
int spawn(std::vector<std::string>& words, const Pipe& out, const Pipe& err, pid_t& pid) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out.writing(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err.writing(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);

  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  const int error =
      ::posix_spawnp(&pid, pointers[0], &files, &attributes, pointers.data(), ::environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error;
}

/// Killed with its group when it is still there at the end.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (ended_) return;
    ::killpg(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  bool has_ended() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    ended_ = true;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  }
  int code() const { return code_; }

 private:
  pid_t pid_;
  bool ended_ = false;
  int code_ = 0;
};

}  // namespace

ChildEnd run_child(std::vector<std::string> words, const ChildLimits& limits,
                   const std::stop_token& stop) {
  require(!words.empty(), "a program without a name");
  ChildEnd end;
  end.out.reserve(limits.most_bytes);  // a secret that moves leaves itself behind
  Pipe out;
  Pipe err;
  pid_t pid = 0;
  end.code = spawn(words, out, err, pid);
  if (end.code != 0) {
    end.how = ChildEnd::How::not_started;
    return end;
  }
  Child child(pid);
  out.close_writing();
  err.close_writing();

  std::array<pollfd, 2> pipes = {{{out.reading(), POLLIN, 0}, {err.reading(), POLLIN, 0}}};
  const std::int64_t deadline_ms = now().steady_ms + limits.timeout_ms;
  bool ended = false;
  while (!ended) {
    throw_if_stopped(stop);
    // Looked at before the pipes: what it wrote is then all there. Whoever else holds a pipe open
    // is not waited for.
    ended = child.has_ended();
    const bool fits = take(out.reading(), end.out, limits.most_bytes);
    take(err.reading(), end.err, limits.most_bytes);
    if (!fits) {
      end.how = ChildEnd::How::too_much;
      return end;
    }
    if (ended) break;
    if (now().steady_ms >= deadline_ms) {
      end.how = ChildEnd::How::too_late;
      return end;
    }
    ::poll(pipes.data(), pipes.size(), kStepMs);
    for (pollfd& pipe : pipes) {
      if (pipe.revents == POLLHUP) pipe.fd = -1;  // closed: it would wake us for ever
    }
  }
  end.code = child.code();
  return end;
}

}  // namespace sluice
