// SPDX-License-Identifier: Apache-2.0
#include "tests/support/foreign_server.h"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <boost/json.hpp>
#include <unistd.h>

namespace sluice {
namespace {

std::string own_name(const std::string& name) {
  static std::atomic<int> made = 0;
  return "t" + std::to_string(::getpid()) + "-" + std::to_string(++made) + "-" + name;
}

}  // namespace

std::optional<SqsAddress> find_foreign_server(const std::string& name) {
  std::ifstream file(std::string(SLUICE_TEST_SERVERS) + "/" + name + ".env");
  if (!file) {
    const char* const ci = std::getenv("CI");
    if (ci != nullptr && std::string_view(ci) == "true") {
      throw std::runtime_error(name + " is not there, and CI=true: nothing may be skipped");
    }
    return std::nullopt;
  }
  std::map<std::string, std::string> values;
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find('=');
    if (at != std::string::npos) values[line.substr(0, at)] = line.substr(at + 1);
  }
  return SqsAddress{values.at("AWS_ENDPOINT_URL_SQS"), values.at("AWS_ACCESS_KEY_ID"),
                    values.at("AWS_SECRET_ACCESS_KEY")};
}

ForeignQueue::ForeignQueue(SqsAddress address, const std::string& name,
                           boost::json::object attributes)
    : caller_(std::move(address)) {
  const boost::json::object made = caller_.call(
      "CreateQueue", {{"QueueName", own_name(name)}, {"Attributes", std::move(attributes)}});
  url_ = std::string(made.at("QueueUrl").as_string());
}

ForeignQueue::~ForeignQueue() {
  caller_.ask("DeleteQueue", {{"QueueUrl", url_}});  // if it fails, the server goes soon anyway
}

boost::json::object ForeignQueue::call(const std::string& operation, boost::json::object request) {
  request["QueueUrl"] = url_;
  return caller_.call(operation, request);
}

std::int64_t ForeignQueue::left() {
  const boost::json::object answer = call("GetQueueAttributes", {{"AttributeNames", {"All"}}});
  const auto& attributes = answer.at("Attributes").as_object();
  std::int64_t left = 0;
  for (const char* name : {"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                           "ApproximateNumberOfMessagesDelayed"}) {
    left += std::stoll(std::string(attributes.at(name).as_string()));
  }
  return left;
}

}  // namespace sluice
