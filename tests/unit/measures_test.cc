// SPDX-License-Identifier: Apache-2.0
// What a run measures beside its accounts: by the masker, by calls, by the heart.
#include "job/pipeline/measures.h"

#include "job/pipeline/calls.h"
#include "job/record/unmapped_fields.h"
#include "tests/unit/drain_world.h"

namespace sluice {
namespace {

constexpr std::string_view kMaskedPipeline =
    R"({"version":1,"name":"p","queue":{"name":"q"},"tables":[{"table":"t","columns":[
  {"column":"id","from":"/user/id","type":"text","required":true},
  {"column":"ip","from":"ip","type":"text","mask":{"method":"hmac-sha256","domain":"ip"}},
  {"column":"mail","from":"mail","type":"text","mask":{"method":"hmac-sha256","domain":"mail"}},
  {"column":"device","from":"device","type":"text","mask":{"method":"drop"}},
  {"column":"sent","from":"@sent_at","type":"timestamptz"}]}]})";

class MaskerWork : public testing::Test {
 protected:
  void stage(std::string body) {
    Message message;
    message.id = "00112233-4455-6677-8899-aabbccddeeff";
    message.body = std::move(body);
    message.sent_ms = kWall;
    masker_.stage(message, batch_);
  }
  std::uint64_t unmapped() const { return masker_.work().unmapped_fields; }

  Pipeline pipeline_ = parse_pipeline(kMaskedPipeline, "p.json");
  Keyring keyring_ = Keyring::generate(kWall);
  Masker masker_{pipeline_, keyring_};
  StagedBatch batch_;
};

TEST_F(MaskerWork, values_are_counted_by_method_where_there_are_any) {
  const std::map<std::string_view, std::uint64_t> none = {{"drop", 0}, {"hmac-sha256", 0}};
  EXPECT_EQ(masker_.work().masked_values, none);
  stage(R"({"user":{"id":"1"},"ip":"a","mail":"b","device":"c"})");
  stage(R"({"user":{"id":"1"},"ip":"a","mail":null})");
  stage(R"({"user":{"id":)");
  const std::map<std::string_view, std::uint64_t> some = {{"drop", 1}, {"hmac-sha256", 3}};
  EXPECT_EQ(masker_.work().masked_values, some);
}

TEST_F(MaskerWork, fields_that_no_column_takes_are_counted_once_each) {
  stage(R"({"ip":"a","user":{"id":"1","inner":2},"mail":"b","device":null})");
  EXPECT_EQ(unmapped(), 0U) << "only top-level fields are looked at";
  stage(R"({"new":1,"ip":"a","user":{"id":"1"}})");
  stage(R"({"user":{"id":"1"},"new":{"ip":[1,{"x":2}]},"mail":"b","newer":[]})");
  EXPECT_EQ(unmapped(), 2U);
  stage(R"({"n\u0065w":1})");
  EXPECT_EQ(unmapped(), 2U) << "however it is written, and whatever becomes of the message";
  stage(R"({"other":1)");
  EXPECT_EQ(unmapped(), 2U) << "a body that cannot be read has no fields";
}

TEST_F(MaskerWork, no_more_than_a_hundred_fields_are_told_apart) {
  for (int user = 0; user < 40; ++user) {
    std::string body = R"({"user":{"id":"1"})";
    for (int i = 0; i < 4; ++i) body += ",\"u" + std::to_string(4 * user + i) + "\":1";
    stage(body + "}");
  }
  EXPECT_EQ(unmapped(), UnmappedFields::kMost);
}

TEST_F(MaskerWork, time_is_that_of_all_messages_also_of_few) {
  EXPECT_EQ(masker_.work().decode_ns, 0);
  for (int i = 0; i < 3; ++i) stage(R"({"user":{"id":"1"},"ip":"a"})");
  const Masker::Work work = masker_.work();
  EXPECT_GT(work.decode_ns, 0);
  EXPECT_GT(work.validate_ns, 0);
  EXPECT_GT(work.mask_ns, 0);
}

TEST(Calls, are_busy_while_at_least_one_is_under_way) {
  Calls calls;
  const auto busy = [&calls](std::int64_t now_ms) {
    return calls.busy_ms(Call::Kind::receive, now_ms);
  };
  EXPECT_EQ(busy(100), 0);
  const Ticket first = calls.add({Call::Kind::receive, 100});
  const Ticket second = calls.add({Call::Kind::receive, 150});
  EXPECT_EQ(busy(160), 60);
  calls.take(first, 200);
  EXPECT_EQ(busy(210), 110) << "the second still is";
  calls.take(second, 300);
  EXPECT_EQ(busy(900), 200);
  calls.add({Call::Kind::receive, 1'000});
  EXPECT_EQ(busy(1'005), 205);
  EXPECT_EQ(calls.busy_ms(Call::Kind::remove, 1'005), 0);
}

class DrainMeasures : public DrainTest {};

TEST_F(DrainMeasures, receives_deletes_and_loads_are_timed_by_their_calls) {
  limits_.window_messages = 3;
  start();
  pass(40);
  deliver(messages(1, 3));
  const std::string body = message(1).body;
  EXPECT_EQ(heart_->measures().bytes_in, 3 * body.size());
  EXPECT_EQ(heart_->measures().bytes_out, 0U) << "nothing is committed yet";
  EXPECT_GT(heart_->measures().stage_ns, 0);
  const auto load = take<LoadOrder>().at(0).window;
  feed(LoadAnswered{load->window.number, Loaded{{3, 0, 0, 0, {3}}, false}, 7'000});
  EXPECT_EQ(heart_->measures().load_ns, 7'000);
  EXPECT_EQ(heart_->measures().bytes_out, load->window.bytes);
  pass(11);
  delete_all();
  pass(500);
  EXPECT_EQ(heart_->measures().delete_ns, 11'000'000);
  EXPECT_EQ(heart_->measures().receive_ns, 551'000'000) << "another receive waits";
}

TEST_F(DrainMeasures, a_load_that_is_begun_again_is_a_retry) {
  limits_.window_messages = 3;
  start();
  deliver(messages(1, 3));
  answer_load(LoadFailed{Failure(Fault::temporary, "away", "")});
  pass(5'000);
  answer_load(LoadFailed{Failure(Fault::temporary, "away", "")});
  pass(5'000);
  EXPECT_EQ(heart_->measures().load_retries, 2U);
}

}  // namespace
}  // namespace sluice
