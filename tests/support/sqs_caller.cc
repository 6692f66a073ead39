// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sqs_caller.h"

#include <stdexcept>
#include <utility>

#include <boost/json.hpp>

#include "job/base/clock.h"

namespace sluice {
namespace {

Credentials credentials_of(const SqsAddress& address) {
  return {address.access_key, Secret(address.secret_key), Secret(address.session_token),
          "the test"};
}

}  // namespace

SqsCaller::SqsCaller(SqsAddress address)
    : address_(std::move(address)),
      signer_(credentials_of(address_), "us-east-1", "sqs"),
      http_({.ca_bundle = "", .user_agent = "sluice-tests"}) {}

HttpAnswer SqsCaller::ask(const std::string& operation, const boost::json::object& request,
                          std::int64_t timeout_ms) {
  HttpRequest http{.origin = address_.endpoint,
                   .headers = {{"Host", address_.endpoint.substr(address_.endpoint.find("//") + 2)},
                               {"Content-Type", "application/x-amz-json-1.0"},
                               {"X-Amz-Target", "AmazonSQS." + operation}},
                   .body = boost::json::serialize(request),
                   .timeout_ms = timeout_ms};
  signer_.sign(http, now().wall_ms);
  http_.start(1, std::move(http));
  std::vector<HttpAnswer> answers;
  while (answers.empty()) http_.wait(timeout_ms, answers);
  return std::move(answers.front());
}

boost::json::object SqsCaller::call(const std::string& operation,
                                    const boost::json::object& request) {
  const HttpAnswer answer = ask(operation, request);
  if (answer.status != 200) {
    throw std::runtime_error(operation + ": status " + std::to_string(answer.status) + " " +
                             answer.error + answer.body);
  }
  if (answer.body.empty()) return {};  // so moto and ElasticMQ after DeleteQueue
  return boost::json::parse(answer.body).as_object();
}

}  // namespace sluice
