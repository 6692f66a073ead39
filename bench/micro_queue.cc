// SPDX-License-Identifier: Apache-2.0
// What a call to SQS of ten messages costs beside HTTP: its request, its signature, its answer.
#include <memory>
#include <vector>

#include <boost/json.hpp>

#include "bench/login.h"
#include "bench/micro.h"
#include "job/aws/sigv4.h"
#include "job/base/encoding.h"
#include "job/mask/unkeyed_digest.h"
#include "job/queue/sqs_wire.h"

namespace sluice {
namespace {

using benchmark::DoNotOptimize;
namespace json = boost::json;

constexpr int kBatch = 10;
constexpr std::string_view kQueueUrl =
    "https://sqs.us-east-1.amazonaws.com/000000000000/login-queue";

std::vector<std::string> handles() {
  std::vector<std::string> made;
  for (int n = 0; n < kBatch; ++n) made.push_back(login(n).receipt);
  return made;
}

/// As AWS writes it.
std::string receive_answer() {
  UnkeyedDigest md5(UnkeyedDigest::Kind::md5);
  json::array messages;
  for (int n = 0; n < kBatch; ++n) {
    const Message message = login(n);
    messages.push_back(json::object{
        {"Attributes",
         {{"ApproximateReceiveCount", "1"}, {"SentTimestamp", std::to_string(message.sent_ms)}}},
        {"Body", message.body},
        {"MD5OfBody", to_hex(md5.of(message.body))},
        {"MessageId", message.id},
        {"ReceiptHandle", message.receipt}});
  }
  return json::serialize(json::object{{"Messages", std::move(messages)}});
}

/// As AWS writes it.
std::string delete_answer() {
  json::array done;
  for (int n = 0; n < kBatch; ++n) done.push_back(json::object{{"Id", std::to_string(n)}});
  return json::serialize(json::object{{"Successful", std::move(done)}});
}

const Micro ask("build a receive request for ten messages", kBatch,
                [] { return Micro::Work{[] { DoNotOptimize(receive_request(kQueueUrl, {})); }}; });

const Micro parse("parse a receive answer of ten messages", kBatch, [] {
  return Micro::Work{[answer = receive_answer()] { DoNotOptimize(parse_received(answer)); }};
});

const Micro remove("build a delete request of ten messages", kBatch, [] {
  return Micro::Work{[ten = handles()] { DoNotOptimize(delete_request(kQueueUrl, ten)); }};
});

const Micro removed("parse a delete answer of ten messages", kBatch, [] {
  return Micro::Work{[answer = delete_answer()] { DoNotOptimize(parse_batch(answer, kBatch)); }};
});

Micro signing(const std::string& what, const std::function<std::string()>& body) {
  return {"sign " + what, kBatch, [body] {
            auto signer = std::make_shared<Signer>(
                Credentials{"AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                            Secret(), "bench"},
                "us-east-1", "sqs");
            HttpRequest unsigned_request;
            unsigned_request.origin = "https://sqs.us-east-1.amazonaws.com";
            unsigned_request.headers = {{"host", "sqs.us-east-1.amazonaws.com"},
                                        {"content-type", "application/x-amz-json-1.0"},
                                        {"x-amz-target", "AmazonSQS.ReceiveMessage"}};
            unsigned_request.body = body();
            return Micro::Work{[signer, unsigned_request] {
              HttpRequest request = unsigned_request;
              signer->sign(request, login(0).sent_ms);
              DoNotOptimize(request);
            }};
          }};
}

const Micro sign_receive =
    signing("a receive request for ten messages", [] { return receive_request(kQueueUrl, {}); });
const Micro sign_delete = signing("a delete request of ten messages",
                                  [] { return delete_request(kQueueUrl, handles()); });

}  // namespace
}  // namespace sluice
