// SPDX-License-Identifier: Apache-2.0
// The policy that users attach is what the program does, no more and no less.
#include <set>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "job/base/file.h"
#include "job/queue/sqs_wire.h"

namespace sluice {
namespace {

TEST(IamPolicy, allows_each_operation_that_the_program_makes_and_no_other) {
  std::set<std::string> needed;
  for (const Operation operation :
       {Operation::get_queue_url, Operation::get_queue_attributes, Operation::receive_message,
        Operation::delete_message_batch, Operation::change_message_visibility_batch,
        Operation::send_message_batch}) {
    needed.emplace(right_for(operation));
  }
  const std::string path = SLUICE_SOURCE_DIR "/pipelines/user_logins/iam-policy.json";
  std::set<std::string> allowed;
  const boost::json::value policy = boost::json::parse(read_file(path, 1 << 16, "policy"));
  for (const boost::json::value& statement : policy.at("Statement").as_array()) {
    EXPECT_EQ(statement.at("Effect").as_string(), "Allow");
    EXPECT_EQ(statement.at("Resource").as_string().find('*'), boost::json::string::npos);
    for (const boost::json::value& action : statement.at("Action").as_array()) {
      const std::string name(action.as_string());
      if (name.starts_with("sqs:")) allowed.insert(name);
    }
  }
  EXPECT_EQ(allowed, needed);
}

}  // namespace
}  // namespace sluice
