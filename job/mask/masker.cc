// SPDX-License-Identifier: Apache-2.0
#include "job/mask/masker.h"

#include <optional>
#include <string>
#include <vector>

#include "job/base/copy_binary.h"
#include "job/config/column_type.h"
#include "job/mask/mask_function.h"
#include "job/mask/seal.h"
#include "job/mask/timing.h"
#include "job/record/decode.h"
#include "job/record/field.h"
#include "job/record/unmapped_fields.h"
#include "job/record/unwrap.h"
#include "job/record/value.h"

namespace sluice {
namespace {

struct ColumnPlan {
  const Column* column;
  std::optional<MaskFunction> mask;
  std::uint64_t masked = 0;  // values
};

std::vector<std::vector<ColumnPlan>> plan(const Pipeline& pipeline, const Keyring& keyring) {
  std::vector<std::vector<ColumnPlan>> tables;
  for (const Table& table : pipeline.tables) {
    std::vector<ColumnPlan>& columns = tables.emplace_back();
    for (const Column& column : table.columns) {
      columns.push_back({&column, std::nullopt, 0});
      if (column.mask) columns.back().mask.emplace(*column.mask, keyring);
    }
  }
  return tables;
}

MaybeRejection check_presence(const Column& column, const Value& value) {
  if (!column.required) return std::nullopt;
  if (value.kind == Value::Kind::missing) return Rejection{Reason::missing_field, "is not there"};
  if (value.kind == Value::Kind::null && !column.nullable) {
    return Rejection{Reason::missing_field, "is null"};
  }
  return std::nullopt;
}

}  // namespace

class Masker::Impl {
 public:
  Impl(const Pipeline& pipeline, const Keyring& keyring)
      : keyring_(keyring),
        tables_(plan(pipeline, keyring)),
        keeps_bodies_(pipeline.rejections == Rejections::dead_letter_queue),
        unwrapper_(pipeline),
        unmapped_(pipeline) {}

  Verdict stage(const Message& message, StagedBatch& batch);
  Work work() const;

 private:
  /// Fill `body_` and `tuples_`, or say why the message cannot be rows; `field_` then names the
  /// source at fault, if it is one.
  MaybeRejection decode(const Message& message);
  MaybeRejection make_tuples(const Message& message);
  MaybeRejection append_column(ColumnPlan& plan, const Message& message);
  MaybeRejection append_masked(ColumnPlan& plan, const Value& value, const Message& message);
  MaybeRejection read_source(const Source& source, const Message& message, Value& value,
                             std::string& scratch);

  const Keyring& keyring_;
  std::vector<std::vector<ColumnPlan>> tables_;
  bool keeps_bodies_;  // what Postgres refuses later is forwarded as it came
  // What follows is of one message, and kept for its memory.
  Unwrapper unwrapper_;
  Body body_;
  std::string_view field_;
  std::string scratch_;
  std::string salt_scratch_;
  std::string tuples_;
  std::vector<std::size_t> ends_;  // in `tuples_`, of each table's
  StagedMessage staged_;
  // What follows is of the run.
  UnmappedFields unmapped_;
  Timing timing_;
};

Masker::Verdict Masker::Impl::stage(const Message& message, StagedBatch& batch) {
  timing_.begin();
  MaybeRejection rejection = decode(message);
  timing_.passed(Timing::decode);
  if (!rejection) rejection = make_tuples(message);
  timing_.passed(Timing::validate);
  staged_.key = {message.sent_ms, message_id(message.id)};
  staged_.receive_count = message.receive_count;
  staged_.sequence = message.sequence;
  staged_.group = message.group;
  staged_.rejected = rejection.has_value();
  Sealed sealed;
  if (rejection || keeps_bodies_) {
    sealed = seal(keyring_, staged_.key.id, message.body);
    timing_.passed(Timing::mask);
  }
  staged_.key_id = sealed.key_id;
  staged_.sealed_body = sealed.bytes;
  if (rejection) {
    staged_.rejection = {to_text(rejection->reason), field_, rejection->detail};
    batch.add(staged_);
    return {true, staged_.rejection.reason};
  }
  staged_.rows.clear();
  std::size_t start = 0;
  for (const std::size_t end : ends_) {
    const auto table = static_cast<std::uint16_t>(staged_.rows.size());
    staged_.rows.push_back({table, std::string_view(tuples_).substr(start, end - start)});
    start = end;
  }
  batch.add(staged_);
  return {};
}

MaybeRejection Masker::Impl::decode(const Message& message) {
  field_ = {};
  if (message.unusable) {
    field_ = message.unusable_field;
    return message.unusable;
  }
  if (message.bad_encoding) {
    return Rejection{Reason::bad_encoding, "the body is not valid Unicode"};
  }
  if (auto fault = unwrapper_.unwrap(message.body)) {
    field_ = unwrapper_.field();
    return fault;
  }
  return body_.decode(unwrapper_.json());
}

MaybeRejection Masker::Impl::make_tuples(const Message& message) {
  tuples_.clear();
  ends_.clear();
  unmapped_.look(body_);
  for (auto& columns : tables_) {
    append_field_count(tuples_, static_cast<std::uint16_t>(columns.size()));
    for (ColumnPlan& plan : columns) {
      if (auto fault = append_column(plan, message)) return fault;
    }
    ends_.push_back(tuples_.size());
  }
  return std::nullopt;
}

MaybeRejection Masker::Impl::read_source(const Source& source, const Message& message, Value& value,
                                         std::string& scratch) {
  field_ = source.text;
  return read(source, {body_, message, unwrapper_.envelope()}, value, scratch);
}

MaybeRejection Masker::Impl::append_column(ColumnPlan& plan, const Message& message) {
  const Column& column = *plan.column;
  Value value;
  if (auto fault = read_source(column.source, message, value, scratch_)) return fault;
  if (auto fault = check_presence(column, value)) return fault;
  if (auto fault = convert(column.as, value, scratch_)) return fault;
  return plan.mask ? append_masked(plan, value, message)
                   : append_field(tuples_, value, column.type);
}

MaybeRejection Masker::Impl::append_masked(ColumnPlan& plan, const Value& value,
                                           const Message& message) {
  const Column& column = *plan.column;
  const MaskMethod method = column.mask->method;
  const bool constant = method == MaskMethod::redact;
  if (method == MaskMethod::drop || (value.is_absent() && !constant)) {
    if (!value.is_absent()) ++plan.masked;
    append_null_field(tuples_);
    return std::nullopt;
  }
  if (value.kind != Value::Kind::string && !constant) {
    return Rejection{Reason::wrong_type, "expected a string"};
  }
  Value salt;
  if (method == MaskMethod::sha256_salted) {
    if (auto fault = read_source(column.mask->salt, message, salt, salt_scratch_)) return fault;
    if (salt.is_absent()) return Rejection{Reason::missing_field, "is the salt and not there"};
    if (salt.kind != Value::Kind::string && salt.kind != Value::Kind::number) {
      return Rejection{Reason::wrong_type, "expected a string or a number as salt"};
    }
    field_ = column.source.text;
  }
  timing_.passed(Timing::validate);
  const auto masked = plan.mask->of(value.text, salt.text);
  timing_.passed(Timing::mask);
  if (const auto* fault = std::get_if<Rejection>(&masked)) return *fault;
  ++plan.masked;
  return append_field(tuples_, std::get<MaskedText>(masked), column.type);
}

Masker::Work Masker::Impl::work() const {
  Work work{timing_.spent_ns(Timing::decode), timing_.spent_ns(Timing::validate),
            timing_.spent_ns(Timing::mask)};
  for (const auto& columns : tables_) {
    for (const ColumnPlan& plan : columns) {
      if (!plan.mask) continue;
      work.masked_values[word_of(plan.column->mask->method).word] += plan.masked;
    }
  }
  work.unmapped_fields = unmapped_.count();
  return work;
}

Masker::Masker(const Pipeline& pipeline, const Keyring& keyring)
    : impl_(std::make_unique<Impl>(pipeline, keyring)) {}

Masker::~Masker() = default;

Masker::Verdict Masker::stage(const Message& message, StagedBatch& batch) {
  return impl_->stage(message, batch);
}

Masker::Work Masker::work() const { return impl_->work(); }

}  // namespace sluice
