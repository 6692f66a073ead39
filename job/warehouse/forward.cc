// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/forward.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "job/base/encoding.h"

namespace sluice {
namespace {

constexpr std::string_view kDoing = "forwarding rejected messages";

/// A body has at most 1 MiB (SQS's quota). A round holds each of its bodies sealed and then clear:
/// 60 MiB.
constexpr std::size_t kRound = 30;

/// `{1,2,3}`, as Postgres writes an array.
std::string array_of(std::span<const std::string> elements) {
  std::string text = "{";
  for (const std::string& element : elements) text += (text == "{" ? "" : ",") + element;
  return text + "}";
}

/// Letters that can be sent, and the rows they are of.
struct Round {
  std::vector<std::string> rejections;
  std::vector<DeadLetter> letters;
};

class Forward {
 public:
  explicit Forward(const Forwarder& by)
      : connection_(by.connection), forwarding_(by.forwarding), limits_(by.limits) {
    require(forwarding_.letters != nullptr && forwarding_.unseal,
            "a pipeline with a dead-letter queue and nobody to send to it");
    limits_.idle_ms = limits_.send_ms;
  }

  /// The answer of `select` are the ids of rejections; one that is passed over is not met again.
  ForwardResult run(const std::string& select, std::span<const Parameter> parameters) {
    begin_transaction(connection_, limits_, kDoing);
    const Result found = connection_.query(select, parameters, kDoing);
    roll_back();
    std::vector<std::string> pending;
    pending.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) pending.emplace_back(found.at(row, 0));
    for (std::size_t at = 0; at < pending.size(); at += kRound) {
      send(std::span(pending).subspan(at, std::min(kRound, pending.size() - at)));
    }
    return result();
  }

 private:
  void roll_back() { connection_.execute("ROLLBACK", kDoing); }

  /// One transaction. It holds the rows while the letters are on their way: another worker with the
  /// same rows waits, and then finds them forwarded. Killed after the sending, it is sent again.
  void send(std::span<const std::string> pending) {
    begin_transaction(connection_, limits_, kDoing);
    const Round round = claim(pending);
    if (round.letters.empty()) return roll_back();
    const std::vector<bool> taken = forwarding_.letters->send(round.letters);
    require(taken.size() == round.letters.size(), "letters without an answer");
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      if (taken[i]) sent.push_back(round.rejections[i]);
    }
    refused_ += taken.size() - sent.size();
    if (sent.empty()) return roll_back();
    const std::array parameters = {text_parameter(array_of(sent))};
    const std::uint64_t changed =
        connection_
            .query(
                "UPDATE sluice.rejected_message SET forwarded_at = clock_timestamp()"
                " WHERE rejection_id = ANY($1::bigint[])",
                parameters, kDoing)
            .changed();
    require(changed == sent.size(), "forwarded rejections that are not there");
    commit_transaction(connection_, limits_, kDoing);
    forwarded_ += sent.size();
  }

  Round claim(std::span<const std::string> pending) {
    const std::array parameters = {text_parameter(array_of(pending))};
    const Result rows = connection_.query(
        "SELECT rejection_id::text, message_id, key_id, sealed_body, message_id::text,"
        " trunc(extract(epoch FROM sent_at) * 1000)::text, reason, field, detail, sqlstate"
        " FROM sluice.rejected_message WHERE rejection_id = ANY($1::bigint[])"
        " AND forwarded_at IS NULL AND replayed_at IS NULL ORDER BY rejection_id FOR UPDATE",
        parameters, kDoing, Format::binary);
    Round round;
    for (int row = 0; row < rows.rows(); ++row) {
      MessageId id{};
      std::ranges::copy(rows.at(row, 1), id.begin());
      std::optional<std::string> body = forwarding_.unseal(rows.at(row, 2), id, rows.at(row, 3));
      const auto text = [&](int column) { return std::string(rows.at(row, column)); };
      if (!body) {
        if (unopened_++ == 0) unopened_key_ = text(2);
        continue;
      }
      round.rejections.push_back(text(0));
      round.letters.push_back({.message_id = text(4),
                               .body = std::move(*body),
                               .sent_ms = rows.number_at(row, 5),
                               .reason = text(6),
                               .field = text(7),
                               .detail = text(8),
                               .sqlstate = text(9)});
    }
    return round;
  }

  ForwardResult result() const {
    const std::string doing(kDoing);
    if (unopened_ > 0) {  // told first: no other try helps
      return ForwardFailed{
          Failure(Fault::configuration,
                  doing + ": " + std::to_string(unopened_) +
                      " sealed bodies cannot be opened, the first is under key " + unopened_key_,
                  "add that key to the keyring; until then these messages are not deleted"),
          false};
    }
    if (refused_ > 0) {
      return ForwardFailed{
          Failure(Fault::temporary,
                  doing + ": the dead-letter queue did not take " + std::to_string(refused_) +
                      " of " + std::to_string(refused_ + forwarded_),
                  "run again later; nothing is lost"),
          true};
    }
    return Forwarded{forwarded_};
  }

  Connection& connection_;
  const Forwarding& forwarding_;
  LoadLimits limits_;
  std::uint64_t forwarded_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t unopened_ = 0;
  std::string unopened_key_;
};

}  // namespace

ForwardResult forward_window(const Forwarder& by, const SealedWindow& window) {
  std::vector<std::string> ids;
  for (const StagedMessage& message : window.messages) {
    ids.push_back(
        to_hex({reinterpret_cast<const char*>(message.key.id.data()), message.key.id.size()}));
  }
  const std::array parameters = {text_parameter(by.pipeline), text_parameter(array_of(ids))};
  return Forward(by).run(
      "SELECT rejection_id FROM sluice.rejected_message WHERE pipeline = $1"
      " AND message_id = ANY($2::uuid[]) AND to_forward AND forwarded_at IS NULL"
      " AND replayed_at IS NULL ORDER BY rejection_id",
      parameters);
}

ForwardResult forward_stale(const Forwarder& by) {
  // A worker that lives forwards within the minutes after its load; each row is checked again
  // under its lock, so being early costs a wait and nothing more.
  const std::array parameters = {text_parameter(by.pipeline)};
  return Forward(by).run(
      "SELECT rejection_id FROM sluice.rejected_message WHERE pipeline = $1"
      " AND rejected_at < now() - interval '15 minutes' AND to_forward AND forwarded_at IS NULL"
      " AND replayed_at IS NULL ORDER BY rejection_id LIMIT 10000",
      parameters);
}

}  // namespace sluice
