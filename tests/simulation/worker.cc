// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/worker.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "tests/simulation/left_behind.h"

namespace sluice::simulation {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLongestTickMs = 10'000;
constexpr int kSpins = 2'000;
constexpr std::int64_t kStopMs = 5'000;  // promised: a stopped run is gone by then
constexpr std::int64_t kSettleMs = 100;  // longer than a call takes to reach the queue

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

std::string content_of(const std::string& path) {
  std::error_code none;
  const std::uintmax_t size = fs::file_size(path, none);
  std::string content(none ? 0 : size, '\0');
  std::ifstream(path, std::ios::binary)
      .read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

void copy_over(const std::string& from, const std::string& to) {
  for (const char* suffix : {"", "-journal"}) {
    fs::remove(to + suffix);
    if (fs::exists(from + suffix)) fs::copy_file(from + suffix, to + suffix);
  }
}

}  // namespace

void World::note(std::uint64_t what) {
  for (const std::uint64_t each : {static_cast<std::uint64_t>(timeline.now_ms()), what}) {
    trace = (trace ^ each) * 1'099'511'628'211U;
  }
}

Worker::Worker(World& world, std::string folder, std::uint64_t seed)
    : world_(world), folder_(std::move(folder)), random_(seed) {
  Disk::installed().add(folder_);
}

Worker::~Worker() {
  *alive_ = false;
  heart_.reset();
  checkpoint_.reset();
  Disk::installed().forget(folder_);
}

Now Worker::now() const {
  const Now shared = world_.queue.now();
  return {shared.steady_ms + steady_offset_ms_, shared.wall_ms + wall_offset_ms_};
}

void Worker::start() {
  run_ = ++world_.runs;
  ++life_;
  next_tick_ms_ = 0;
  stop_asked_ms_ = -1;
  idle_ticks_ = 0;
  steady_offset_ms_ = static_cast<std::int64_t>(random_.below(1'000'000'000));
  world_.note(static_cast<std::uint64_t>(run_));
  last_failure_.clear();
  Disk::installed().revive(folder_);
  if (world_.faults.strikes(Fault::kill_at_write)) {
    const auto nth = 1 + world_.faults.details(Fault::kill_at_write).below(150);
    Disk::installed().die_at_write(folder_, static_cast<int>(nth));
  }
  try {
    checkpoint_ =
        std::make_unique<Checkpoint>(file(), CheckpointIdentity{"p", "q", "d"}, now().wall_ms);
  } catch (const CheckpointError& error) {
    last_failure_ = error.what();
    if (Disk::installed().is_dead(folder_)) die(random_.chance(0.5));
    return;
  }
  session_ = world_.database.connect();
  limits_ = world_.limits;
  limits_.clock_offset_ms = -wall_offset_ms_;  // as the queue's first answer told
  heart_ = std::make_unique<Drain>(
      limits_, world_.masker, *checkpoint_, 1,
      [this] {
        WindowId id;
        for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(random_.next());
        return id;
      },
      now());
  step(Tick{});
}

void Worker::step(Event event) {
  const bool is_tick = std::holds_alternative<Tick>(event);
  world_.note(event.index() + 100);
  std::vector<Order> orders = heart_->step(std::move(event), now());
  if (Disk::installed().is_dead(folder_)) return die(random_.chance(0.5));
  idle_ticks_ =
      is_tick && orders.empty() && heart_->wake_ms() <= now().steady_ms ? idle_ticks_ + 1 : 0;
  if (idle_ticks_ > kSpins) throw Broken("progress: the heart wants to be woken and does nothing");
  for (Order& order : orders) {
    if (world_.faults.strikes(Fault::kill)) return die(random_.chance(0.3));
    world_.note(order.index() + 200);
    carry_out(order);
  }
  if (heart_->ended()) return finish();
  tick_at(heart_->wake_ms());
}

Reply Worker::reply() {
  return [this, alive = alive_, life = life_](Event event) {
    if (!*alive || life != life_ || heart_ == nullptr) return false;
    step(std::move(event));
    return true;
  };
}

void Worker::carry_out(Order& order) {
  SharedQueue& queue = world_.queue;
  std::visit(Overloaded{
                 [&](const ReceiveOrder& o) { queue.receive(o, run_, reply()); },
                 [&](const RemoveOrder& o) { queue.remove(o, reply()); },
                 [&](const HideOrder& o) { queue.hide(o, reply()); },
                 [&](const CountOrder& o) { queue.count(o, reply()); },
                 [&](const StopReceivingOrder&) {},  // here, every receive is on its way at once
                 [&](const LoadOrder& o) { session_->load(o, reply()); },
                 [&](const ForwardOrder& o) { session_->forward(o, reply()); },
                 [&](const InterruptOrder&) { session_->interrupt(); },
             },
             order);
}

void Worker::tick_at(std::int64_t steady_ms) {
  const std::int64_t now_ms = now().steady_ms;
  const std::int64_t at = std::clamp(steady_ms, now_ms + 1, now_ms + kLongestTickMs);
  if (next_tick_ms_ > now_ms && next_tick_ms_ <= at) return;
  next_tick_ms_ = at;
  world_.timeline.after(at - now_ms, [this, alive = alive_, life = life_, at] {
    if (*alive && life == life_ && heart_ != nullptr && next_tick_ms_ == at) step(Tick{});
  });
}

void Worker::stop() {
  if (stop_asked_ms_ < 0) stop_asked_ms_ = world_.timeline.now_ms();
  step(Interrupted{});
}

void Worker::finish() {
  ++life_;
  const std::int64_t took = world_.timeline.now_ms() - stop_asked_ms_;
  if (stop_asked_ms_ >= 0 && took > kStopMs) {
    throw Broken("bounded: a run was stopped and went on for " + std::to_string(took) + " ms");
  }
  last_failure_ = heart_->failure() ? heart_->failure()->message() : "";
  const Books books = heart_->books();
  session_.reset();
  heart_.reset();
  checkpoint_.reset();
  if (Disk::installed().is_dead(folder_)) return die(random_.chance(0.5));
  Disk::installed().revive(folder_);
  keep_a_copy();
  expect_no_clear_text();
  world_.timeline.after(kSettleMs, [&world = world_, run = run_, books, held = keys_in(file())] {
    world.oracle.ended(run, books, world.queue.hidden(), held);
  });
}

void Worker::kill() { die(random_.chance(0.5)); }

void Worker::die(bool with_the_power) {
  ++life_;
  world_.note(300);
  session_.reset();
  heart_.reset();
  checkpoint_.reset();
  if (with_the_power) {
    Disk::installed().lose_unsynced(folder_, random_);
  } else {
    Disk::installed().revive(folder_);
  }
  keep_a_copy();
}

void Worker::keep_a_copy() {
  if (random_.chance(0.3)) copy_over(file(), folder_ + "/older");
}

void Worker::lose_checkpoint() {
  fs::remove(file());
  fs::remove(file() + "-journal");
}

void Worker::put_older_checkpoint_back() {
  if (fs::exists(folder_ + "/older")) copy_over(folder_ + "/older", file());
}

void Worker::damage_checkpoint() {
  SeededRandom& how = world_.faults.details(Fault::damage_checkpoint);
  const std::string path = file() + (how.chance(0.3) ? "-journal" : "");
  std::string content = content_of(path);
  if (content.empty()) return;
  std::size_t at = how.below(content.size());
  // Most of a file this small is zeros. And of a format that it does not know a run is afraid,
  // rightly: then a person decides.
  const auto is_worth_it = [&] { return content[at] != '\0' && (at < 60 || at >= 64); };
  for (int tries = 0; tries < 100 && !is_worth_it(); ++tries) at = how.below(content.size());
  if (!is_worth_it()) return;
  switch (how.below(4)) {
    case 0:
      content.resize(at);
      break;
    case 1:
      content.replace(at, std::min<std::size_t>(512, content.size() - at), 512, '\0');
      break;
    default:
      content[at] = static_cast<char>(content[at] ^ (1 << how.below(8)));
  }
  write(path, content);
}

void Worker::jump_clock() {
  SeededRandom& how = world_.faults.details(Fault::jump_clock);
  constexpr std::int64_t kMinuteMs = 60'000;
  const auto minutes =
      static_cast<std::int64_t>(how.chance(0.7) ? how.below(180) : how.below(40'000));
  wall_offset_ms_ += (how.chance(0.5) ? 1 : -1) * minutes * kMinuteMs;
}

bool Worker::is_done() { return keys_in(file()).empty(); }

void Worker::expect_no_clear_text() const {
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (content_of(entry.path()).find("canary") != std::string::npos) {
      throw Broken("no clear text at rest: " + entry.path().filename().string() + " holds some");
    }
  }
}

}  // namespace sluice::simulation
