// SPDX-License-Identifier: Apache-2.0
#include "job/archive/archive_queue.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "job/base/clock.h"
#include "job/base/file.h"
#include "job/base/text.h"

namespace sluice {
namespace {

/// Between two looks at the run's signals and limits.
constexpr int kSkippedAtOnce = 10'000;
/// Of bodies in answers that nobody has taken yet, and in one answer.
constexpr std::size_t kBytesAtOnce = 4 << 20;
constexpr std::size_t kAnswerBytes = 1 << 20;
constexpr std::int64_t kLongestPauseMs = 1000;

QueueAnswer done(Ticket ticket, std::size_t entries) {
  const EntryResult result{.done = true, .sender_fault = false, .code = {}};
  return BatchAnswered{ticket, std::vector<EntryResult>(entries, result)};
}

std::string shown(std::optional<std::int64_t> ms) { return ms ? std::to_string(*ms) : "-"; }

/// Everything that decides which record stands where and whether it is wanted. Empty when a file
/// cannot be read twice.
std::string inputs_text(const ArchiveInput& input, const std::string& pipeline,
                        std::uint64_t& total_bytes) {
  const ArchiveFormat& format = input.format;
  std::string text = pipeline + "\n" + (format.sqs_envelope ? "sqs" : "body") + "\n" +
                     format.sent_at_from + "\n" + shown(format.sent_at_ms) + " " +
                     shown(input.since_ms) + " " + shown(input.until_ms) + "\n";
  bool again = true;
  for (const std::string& path : input.files) {
    if (path == "-" || std::filesystem::is_fifo(path)) {  // to open and close it would end it
      again = false;
      continue;
    }
    const ArchiveFile file(path);
    total_bytes += file.size().value_or(0);
    again = again && !file.identity().empty();
    text += path + "\n" + file.identity() + "\n";
  }
  return again && !input.is_trial ? text : "";
}

}  // namespace

ArchiveQueue::ArchiveQueue(ArchiveInput input, const Pipeline& pipeline, const Secret& id_key,
                           const std::string& state)
    : input_(std::move(input)),
      cursor_(state, inputs_text(input_, pipeline.name, total_bytes_)),
      unfinished_(cursor_.start()),
      occurrences_(folder_of(state)),
      messages_(input_.format, pipeline, id_key, occurrences_),
      woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  require(woken_ >= 0, "no eventfd");
}

ArchiveQueue::~ArchiveQueue() { ::close(woken_); }

void ArchiveQueue::receive(Ticket ticket, int most, int wait_s, int) {
  asked_.push_back({ticket, most, now().steady_ms + wait_s * 1000LL});
}

void ArchiveQueue::remove(Ticket ticket, const std::vector<std::string>& handles) {
  for (const std::string& handle : handles) {
    if (handle.starts_with(cursor_.tag() + ".")) unfinished_.finish(position_in(handle));
  }
  cursor_.move_to(unfinished_.loaded_to(), now().steady_ms);
  answers_.push_back(done(ticket, handles.size()));
}

void ArchiveQueue::hide(Ticket ticket, const std::vector<std::string>& handles, int) {
  answers_.push_back(done(ticket, handles.size()));
}

void ArchiveQueue::count(Ticket ticket) {
  answers_.emplace_back(Counted{ticket, {.visible = records_left()}});
}

void ArchiveQueue::stop_receiving() { stopped_ = true; }

void ArchiveQueue::wait(std::int64_t at_most_ms, std::vector<QueueAnswer>& answers) {
  if (answers_.empty()) pause(at_most_ms);
  bool ready = true;
  if (!stopped_ && !asked_.empty()) attempt([&] { ready = skip_to_start(); });
  for (std::size_t bytes = 0; ready && !asked_.empty() && bytes < kBytesAtOnce;) {
    std::optional<QueueAnswer> answer = read(asked_.front(), bytes);
    if (!answer) break;
    answers_.push_back(std::move(*answer));
    asked_.pop_front();
  }
  for (QueueAnswer& answer : answers_) answers.push_back(std::move(answer));
  answers_.clear();
}

void ArchiveQueue::pause(std::int64_t at_most_ms) {
  const bool waits_for_pipe = !asked_.empty() && pipe_is_empty_ && !stopped_;
  if (!asked_.empty() && !waits_for_pipe) return;
  if (waits_for_pipe) at_most_ms = std::min(at_most_ms, asked_.front().until_ms - now().steady_ms);
  std::array<pollfd, 2> sources{{{woken_, POLLIN, 0}, {-1, POLLIN, 0}}};
  if (waits_for_pipe) sources[1].fd = file_->descriptor();
  ::poll(sources.data(), sources.size(),
         static_cast<int>(std::clamp<std::int64_t>(at_most_ms, 0, kLongestPauseMs)));
  eventfd_t times = 0;
  ::eventfd_read(woken_, &times);
}

void ArchiveQueue::wake() { ::eventfd_write(woken_, 1); }

void ArchiveQueue::abandon() {
  asked_.clear();
  answers_.clear();
}

std::optional<QueueAnswer> ArchiveQueue::read(const Asked& asked, std::size_t& bytes) {
  Received received{.ticket = asked.ticket, .messages = {}};
  const std::size_t most_bytes = bytes + kAnswerBytes;
  attempt([&] {
    while (!stopped_ && bytes < most_bytes &&
           received.messages.size() < static_cast<std::size_t>(asked.most)) {
      std::optional<Message> message = next();
      if (!message) break;
      bytes += message->body.size();
      received.messages.push_back(std::move(*message));
    }
  });
  // What was read before it broke stands.
  if (broken_ && received.messages.empty()) return CallFailed{asked.ticket, *broken_};
  received.more_comes = received.messages.empty() && pipe_is_empty_;
  if (received.more_comes && !stopped_ && now().steady_ms < asked.until_ms) return std::nullopt;
  return received;
}

void ArchiveQueue::attempt(const std::function<void()>& work) {
  if (broken_) return;
  pipe_is_empty_ = false;
  try {
    work();
  } catch (const NothingYet&) {
    pipe_is_empty_ = true;
  } catch (const Failure& failure) {
    broken_ = failure;
  } catch (const CheckpointError& error) {
    broken_ = Failure(Fault::temporary, std::string("counting equal lines: ") + error.what(),
                      "make room in the checkpoint's folder and run again: it goes on");
  }
}

std::optional<Message> ArchiveQueue::next() {
  while (const auto record = next_record()) {
    const ArchivePosition at{position_.file, position_.record - 1};
    if (unfinished_.take_finished(at)) {
      messages_.pass(*record);
      continue;
    }
    Message message = messages_.make(*record);
    if (!is_wanted(message)) continue;
    message.receive_count = unfinished_.give_out(at, message.id, message.receive_count);
    message.receipt =
        cursor_.tag() + "." + std::to_string(at.file) + "." + std::to_string(at.record);
    return message;
  }
  return std::nullopt;
}

std::optional<std::string_view> ArchiveQueue::next_record() {
  while (position_.file < input_.files.size()) {
    if (!file_) {
      file_ = std::make_unique<ArchiveFile>(input_.files[position_.file],
                                            OnEmptyPipe::throw_nothing_yet);
      records_.emplace(*file_);
      messages_.begin_file();
    }
    if (const auto record = records_->next()) {
      ++records_read_;
      ++position_.record;
      unfinished_.read_to(position_);
      return record;
    }
    bytes_before_ += file_->bytes_read();
    file_.reset();
    position_ = {position_.file + 1, 0};
    unfinished_.read_to(position_);
  }
  at_end_ = true;
  return std::nullopt;
}

bool ArchiveQueue::skip_to_start() {
  for (int skipped = 0; position_ < cursor_.start(); ++skipped) {
    if (skipped == kSkippedAtOnce) return false;
    if (!file_ && position_.file < cursor_.start().file) {
      // Equal lines are counted by file: nothing of this one is needed.
      bytes_before_ += ArchiveFile(input_.files[position_.file]).size().value_or(0);
      position_ = {position_.file + 1, 0};
      continue;
    }
    const auto record = next_record();
    if (!record) return true;
    messages_.pass(*record);
  }
  return true;
}

bool ArchiveQueue::is_wanted(const Message& message) const {
  if (message.unusable || message.sent_ms == 0) return true;
  return (!input_.since_ms || message.sent_ms >= *input_.since_ms) &&
         (!input_.until_ms || message.sent_ms < *input_.until_ms);
}

std::int64_t ArchiveQueue::records_left() const {
  const std::uint64_t bytes = bytes_before_ + (file_ ? file_->bytes_read() : 0);
  if (at_end_ || records_read_ == 0 || bytes >= total_bytes_) return 0;
  const double each = static_cast<double>(bytes) / static_cast<double>(records_read_);
  return 1 + static_cast<std::int64_t>(static_cast<double>(total_bytes_ - bytes) / each);
}

ArchivePosition ArchiveQueue::position_in(const std::string& handle) const {
  const auto parts = split(handle, '.');
  require(parts.size() == 3, "a handle that no archive gave out");
  const auto file = parse_integer<std::uint64_t>(parts[1]);
  const auto record = parse_integer<std::uint64_t>(parts[2]);
  require(file && record, "a handle that no archive gave out");
  return {*file, *record};
}

void ArchiveQueue::end(bool loaded_all) {
  if (loaded_all) {
    cursor_.remove();
    return;
  }
  cursor_.move_to(unfinished_.loaded_to(), now().steady_ms);
  cursor_.flush();
}

}  // namespace sluice
