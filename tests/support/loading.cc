// SPDX-License-Identifier: Apache-2.0
#include "tests/support/loading.h"

#include <algorithm>
#include <deque>
#include <stdexcept>

#include "job/base/copy_binary.h"
#include "job/base/random.h"
#include "job/warehouse/ledger_days.h"
#include "job/warehouse/migrate.h"
#include "tests/support/staged_for_test.h"

namespace sluice {
namespace {

constexpr std::int64_t kRetentionS = 86'400;
constexpr std::string_view kKey = "k1";
constexpr std::string_view kSealed = "sealed ";
const std::string kPassword = "loaders-own-word";

StagedMessage staged(const TestMessage& message, std::deque<std::string>& tuples) {
  StagedMessage out;
  out.key.sent_ms = message.sent_ms != 0 ? message.sent_ms : kFirstSentMs + message.n;
  for (int byte = 0; byte < 4; ++byte)
    out.key.id[15 - byte] = static_cast<std::uint8_t>(message.n >> 8 * byte & 0xff);
  out.receive_count = message.receive_count;
  out.sequence = message.sequence;
  out.group = message.group;
  out.rejected = message.rejected;
  if (message.rejected || !message.body.empty()) {
    out.key_id = kKey;
    out.sealed_body = tuples.emplace_back(std::string(kSealed) + message.body);
  }
  if (message.rejected) {
    out.rejection = {.reason = "not-json", .field = "", .detail = ""};
    return out;
  }
  std::string& numbers = tuples.emplace_back();
  append_field_count(numbers, 2);
  append_int32_field(numbers, message.n);
  append_bytes_field(numbers, message.name);
  out.rows.push_back({0, numbers});
  if (message.second_table >= 0) {
    std::string& others = tuples.emplace_back();
    append_field_count(others, 1);
    append_int32_field(others, message.second_table);
    out.rows.push_back({1, others});
  }
  return out;
}

Column column(const std::string& name, ColumnType type) {
  Column made{
      .name = name, .source = {.text = "source_" + name, .path = {name}}, .type = type, .mask = {}};
  made.required = true;
  return made;
}

}  // namespace

std::vector<TestMessage> numbered(int first, int count) {
  std::vector<TestMessage> messages;
  for (int n = first; n < first + count; ++n) messages.push_back({.n = n});
  return messages;
}

SealedWindow make_window(const std::vector<TestMessage>& messages) {
  StagedBatch batch;
  std::deque<std::string> tuples;
  for (const TestMessage& message : messages)
    StagedBatchForTest::add(batch, staged(message, tuples));
  SealedWindow window;
  window.window.state = WindowState::sealed;
  window.window.id = random_128();
  std::ranges::copy(random_128(), window.window.digest.begin());
  window.window.messages = batch.messages();
  window.batches.push_back(batch.bytes());
  if (!unpack(window.batches.back(), window.messages))
    throw std::logic_error("a batch that does not unpack");
  return window;
}

LoadingDatabase::LoadingDatabase(const TestCluster& cluster) : TestDatabase(cluster) {
  const Interrupt never;
  Connection owner(conninfo(), never);
  migrate(owner);
  prepare_days(owner, kFirstSentMs, kRetentionS);
  loader_ = make_loader();
  run("CREATE TABLE public.numbers (n integer, name varchar(10)); CREATE TABLE public.others (n "
      "integer);"
      "GRANT INSERT ON public.numbers, public.others TO " +
      loader_ + "; ALTER ROLE " + loader_ + " PASSWORD '" + kPassword + "'");
  pipeline.name = "numbers";
  const ColumnType integer{.kind = ColumnType::Kind::integer};
  const ColumnType name{.kind = ColumnType::Kind::varchar, .length = 10};
  pipeline.tables = {
      {.schema = "public",
       .name = "numbers",
       .columns = {column("n", integer), column("name", name)},
       .unique = {}},
      {.schema = "public", .name = "others", .columns = {column("n", integer)}, .unique = {}}};
}

std::string LoadingDatabase::tcp_conninfo(const std::string& port) const {
  return "host=127.0.0.1 port=" + port + " user=" + loader_ + " password=" + kPassword +
         " dbname=" + name();
}

PostgresWarehouse LoadingDatabase::warehouse(LoadLimits limits, DeadLetters* letters,
                                             const std::string& port) const {
  const auto unseal = [](std::string_view key_id, const MessageId&, std::string_view bytes) {
    if (key_id != kKey || !bytes.starts_with(kSealed)) return std::optional<std::string>();
    return std::optional(std::string(bytes.substr(kSealed.size())));
  };
  return PostgresWarehouse(
      port.empty() ? loader_conninfo() : tcp_conninfo(port), pipeline, random_uuid(),
      [](std::string_view bytes, const MessageKey&) {
        return SealedRow{std::string(kKey), std::string(kSealed) + std::string(bytes)};
      },
      {letters, unseal}, limits);
}

std::vector<bool> TestLetters::send(const Letters& letters) {
  rounds.push_back(letters);
  on_send(letters);
  std::vector<bool> taken;
  for (const DeadLetter& letter : letters) taken.push_back(takes(letter));
  return taken;
}

std::string TestLetters::sent() const {
  std::string text;
  for (const Letters& letters : rounds) {
    for (const DeadLetter& letter : letters) {
      text += (text.empty() ? "" : " ") + letter.message_id.substr(letter.message_id.size() - 2);
    }
  }
  return text;
}

LoadCounts loaded(const LoadResult& result) {
  if (const auto* done = std::get_if<Loaded>(&result)) return done->counts;
  throw std::runtime_error(std::holds_alternative<LoadFailed>(result)
                               ? "load failed: " + std::get<LoadFailed>(result).failure.message()
                               : "neither loaded nor failed");
}

LoadFailed failed(const LoadResult& result) {
  if (const auto* failure = std::get_if<LoadFailed>(&result)) return *failure;
  throw std::runtime_error("it did not fail");
}

}  // namespace sluice
