// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/history.h"

#include <array>
#include <filesystem>
#include <memory>

#include <unistd.h>

#include "job/base/log.h"
#include "job/config/pipeline_file.h"
#include "tests/simulation/worker.h"

namespace sluice::simulation {
namespace {

namespace fs = std::filesystem;
using Mode = Oracle::Mode;

constexpr std::int64_t kWallMs = 1'790'000'000'000;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kLongestRunMs = 3 * 3'600'000;  // sixty windows, one after the other, slowly
constexpr int kMaxReceiveCount = 6;

/// Masker and pipeline cost more than a history; a masker has no memory of what it masked.
struct Masking {
  explicit Masking(const std::string& rejections)
      : pipeline(parse_pipeline(R"({"version":1,"name":"p","queue":{"name":"q"},"rejections":")" +
                                    rejections +
                                    R"(","tables":[{"table":"t","columns":[
                {"column":"v","from":"v","type":"text","required":true},
                {"column":"m","from":"m","type":"text","required":true,"mask":"hmac-sha256"}]}]})",
                                "p.json")),
        keyring(Keyring::generate(kWallMs)),
        masker(pipeline, keyring) {}
  Pipeline pipeline;
  Keyring keyring;
  Masker masker;
};

Masker& masker_for(Mode mode) {
  static Masking table("table");
  static Masking leave("leave");
  static Masking forward("dead-letter-queue");
  return (mode == Mode::leave ? leave : mode == Mode::forward ? forward : table).masker;
}

/// Gone with the history.
class Folder {
 public:
  Folder() {
    const fs::path memory = "/dev/shm";  // no disk is meant to be tested here but the simulated one
    const fs::path base = fs::is_directory(memory) ? memory : fs::temp_directory_path();
    std::string name = (base / "sluice-history-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for a history");
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string make(int number) const {
    const fs::path made = path_ / std::to_string(number);
    fs::create_directory(made);
    return made;
  }

 private:
  fs::path path_;
};

class History {
 public:
  explicit History(const Plan& plan)
      : choice_(plan.seed ^ 0xc0ffee),
        oracle_(static_cast<Mode>(choice_.below(4))),
        faults_(plan),
        letters_(rules(true), plan.seed + 1),
        state_(rules(false), plan.seed + 2, &letters_),
        queue_(timeline_, faults_, oracle_, state_, kWallMs, plan.seed + 3),
        database_(timeline_, faults_, oracle_, plan.seed + 4),
        limits_(make_limits()),
        world_{timeline_, faults_, oracle_, queue_, database_, masker_for(oracle_.mode()),
               limits_} {
    const int workers = 1 + static_cast<int>(choice_.below(3));
    const int messages = 1 + static_cast<int>(choice_.below(choice_.chance(0.3) ? 60 : 15));
    for (int i = 0; i < (plan.workers > 0 ? plan.workers : workers); ++i) {
      workers_.push_back(std::make_unique<Worker>(world_, folder_.make(i), plan.seed + 10 + i));
    }
    for (int i = 0; i < (plan.messages > 0 ? plan.messages : messages); ++i) {
      const bool later = choice_.chance(0.3);
      timeline_.after(later ? static_cast<std::int64_t>(choice_.below(20'000)) : 0,
                      [this] { send(); });
    }
  }

  void play() {
    trouble();
    calm();
    oracle_.rest(state_, buried());
    if (faults_.struck() == 0 && database_.id_clashes() > 0) {
      throw Broken("identity: two windows had one id");
    }
  }

  void tell(Ending& ending) const {
    ending.trace = world_.trace;
    ending.messages = static_cast<int>(oracle_.messages());
    ending.workers = static_cast<int>(workers_.size());
    ending.runs = world_.runs;
    ending.faults = faults_.story();
  }

 private:
  QueueRules rules(bool for_letters) const {
    QueueRules rules;
    const std::string suffix = oracle_.mode() == Mode::fifo ? ".fifo" : "";
    rules.name = (for_letters ? "dead" : "q") + suffix;
    if (oracle_.mode() == Mode::leave && !for_letters) {
      rules.max_receive_count = kMaxReceiveCount;
    } else if (!for_letters) {
      rules.max_receive_count = 1'000'000;  // nothing goes the queue's own way
    }
    return rules;
  }

  Limits make_limits() {
    Limits limits;
    limits.window_messages = 1 + static_cast<std::uint32_t>(choice_.below(12));
    limits.window_time_ms = 500 + static_cast<std::int64_t>(choice_.below(5'000));
    limits.in_flight_cap = 10 + choice_.below(40);
    limits.receivers = 1 + static_cast<int>(choice_.below(4));
    limits.wait_s = 1 + static_cast<int>(choice_.below(2));
    limits.visibility_s = 5 + static_cast<int>(choice_.below(30));
    limits.fifo = oracle_.mode() == Mode::fifo;
    limits.forwards = oracle_.mode() == Mode::forward;
    limits.max_receive_count = oracle_.mode() == Mode::leave ? kMaxReceiveCount : 0;
    limits.keep_closed_bytes = choice_.chance(0.5) ? 0 : 1 << 20;
    if (choice_.chance(0.2)) limits.max_messages = 1 + choice_.below(20);
    if (choice_.chance(0.2))
      limits.max_runtime_ms = 1 + static_cast<std::int64_t>(choice_.below(9'000));
    return limits;
  }

  void send() {
    const auto number = std::to_string(oracle_.messages());
    const bool odd = choice_.chance(0.15);
    Sent sent;
    sent.kind = !odd ? Kind::good : choice_.chance(0.5) ? Kind::bad : Kind::refused;
    NewMessage message;
    message.body = sent.kind == Kind::bad
                       ? R"({"m":"canary-)" + number + "\"}"
                       : R"({"v":")" + number + R"(","m":"canary-)" + number + "\"}";
    if (oracle_.mode() == Mode::fifo) {
      message.group = sent.group = std::string(1, static_cast<char>('a' + choice_.below(3)));
      message.deduplication = number;
    }
    const std::size_t at = state_.send(std::move(message), queue_.now());
    StagedBatch batch;
    world_.masker.stage(state_.message(at).message, batch);
    std::vector<StagedMessage> staged;
    if (!unpack(batch.bytes(), staged)) throw std::logic_error("the masker's batch cannot be read");
    sent.key = staged.at(0).key;
    if (!staged[0].rejected) sent.tuple = staged[0].rows.at(0).tuple;
    oracle_.sent(std::move(sent));
  }

  /// Things happen for so long.
  void let_pass(std::int64_t ms) {
    const std::int64_t until = timeline_.now_ms() + ms;
    while (!timeline_.empty() && timeline_.next_ms() <= until) timeline_.step();
    timeline_.pass(until - timeline_.now_ms());
  }

  /// What comes now would be empty runs.
  bool has_ended() {
    return timeline_.empty() && choice_.chance(0.5) && state_.tally(queue_.now()).left() == 0;
  }

  void trouble() {
    const std::int64_t until = 5'000 + static_cast<std::int64_t>(choice_.below(60'000));
    while (timeline_.now_ms() < until && !has_ended()) {
      let_pass(100 + static_cast<std::int64_t>(choice_.below(3'000)));
      Worker& worker = *workers_[choice_.below(workers_.size())];
      if (faults_.strikes(Fault::lapse)) state_.show_all();
      if (faults_.strikes(Fault::disk_full)) {
        worker.fill_disk(true);
        const auto ms = static_cast<std::int64_t>(faults_.details(Fault::disk_full).below(15'000));
        timeline_.after(ms, [&worker] { worker.fill_disk(false); });
      }
      if (faults_.strikes(Fault::jump_clock)) worker.jump_clock();
      if (worker.runs()) {
        if (faults_.strikes(Fault::stop)) worker.stop();
        continue;
      }
      if (faults_.strikes(Fault::lose_checkpoint)) worker.lose_checkpoint();
      if (faults_.strikes(Fault::damage_checkpoint)) worker.damage_checkpoint();
      if (faults_.strikes(Fault::older_checkpoint)) worker.put_older_checkpoint_back();
      worker.start();
    }
  }

  void calm() {
    faults_.end();
    Worker* absent = nullptr;
    if (workers_.size() > 1 && oracle_.mode() != Mode::leave && choice_.chance(0.3)) {
      absent = workers_[0].get();
      if (absent->runs()) absent->kill();
    }
    for (const auto& worker : workers_) {
      worker->fill_disk(false);
      let_end(*worker);
    }
    limits_.max_messages = 0;
    limits_.max_runtime_ms = 0;
    if (choice_.chance(0.3)) database_.slow_down(limits_.visibility_s * 2'000LL);
    finish(absent);
    if (absent == nullptr) return;
    // Its windows are older now than the ledger's memory.
    let_pass(20 * kDayMs);
    database_.prune_ledger(queue_.now().wall_ms - limits_.dedup_ms);
    finish(nullptr);
  }

  /// Runs of all but one, until nothing is left to do.
  void finish(const Worker* but) {
    // A rejection that is left is received until the queue has had enough of it.
    const int rounds = oracle_.mode() == Mode::leave ? 2 * kMaxReceiveCount : 3;
    for (int round = 0; round < rounds; ++round) {
      bool done = true;
      for (const auto& worker : workers_) {
        if (worker.get() == but) continue;
        let_pass(kLongestRunMs);  // leases, and what dead workers left in the database
        const std::vector<std::int64_t> before = deliveries();
        worker->start();
        let_end(*worker);
        if (!worker->last_failure().empty()) {
          throw Broken("honest: a run without faults failed: " + worker->last_failure());
        }
        if (oracle_.mode() != Mode::leave) expect_one_delivery_since(before);
        done = done && worker->is_done();
      }
      if (done && state_.tally(queue_.now()).left() == 0) return;
    }
    throw Broken("progress: after " + std::to_string(rounds) + " quiet runs of each, " +
                 std::to_string(state_.tally(queue_.now()).left()) + " messages are in the queue");
  }

  std::vector<std::int64_t> deliveries() const {
    std::vector<std::int64_t> counts;
    for (std::size_t number = 0; number < oracle_.messages(); ++number) {
      counts.push_back(oracle_.fate(number).deliveries);
    }
    return counts;
  }

  /// However long the database took.
  void expect_one_delivery_since(const std::vector<std::int64_t>& before) const {
    for (std::size_t number = 0; number < before.size(); ++number) {
      if (oracle_.fate(number).deliveries > before[number] + 1) {
        throw Broken("bounded: message " + std::to_string(number) + " was received twice in a run");
      }
    }
  }

  void let_end(const Worker& worker) {
    const std::int64_t until = timeline_.now_ms() + kLongestRunMs;
    while (worker.runs()) {
      if (timeline_.empty()) throw Broken("progress: a run waits for nothing");
      timeline_.step();
      if (timeline_.now_ms() > until) throw Broken("progress: a run without faults does not end");
    }
  }

  std::set<MessageKey> buried() {
    std::set<MessageKey> keys;
    for (const Delivery& each : letters_.receive(1'000, 1, queue_.now())) {
      keys.insert({each.message.sent_ms, message_id(each.message.id)});
    }
    return keys;
  }

  Folder folder_;
  SeededRandom choice_;
  Timeline timeline_;
  Oracle oracle_;
  Faults faults_;
  SandboxQueue letters_;
  SandboxQueue state_;
  SharedQueue queue_;
  Database database_;
  Limits limits_;
  World world_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

Ending play(const Plan& plan) {
  log().configure(LogFormat::json, Level::error);
  Ending ending;
  History history(plan);
  try {
    history.play();
  } catch (const Broken& broken) {
    ending.broken = broken.what();
  } catch (const std::exception& error) {
    ending.broken = std::string("a bug: ") + error.what();
  }
  history.tell(ending);
  return ending;
}

}  // namespace sluice::simulation
