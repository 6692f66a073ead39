// SPDX-License-Identifier: Apache-2.0
// The real program with credentials of every kind, against stand-ins of whoever hands them out.
#include <filesystem>
#include <functional>
#include <thread>

#include "tests/end_to_end/scene.h"
#include "tests/support/sandbox_metadata.h"
#include "tests/support/sandbox_sts.h"

namespace sluice {
namespace {

constexpr const char* kRole = "arn:aws:iam::123456789012:role/loader";
constexpr const char* kToken = "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl";

/// A queue that knows only keys that were handed out, and nobody to have them from yet.
class Handed : public ::testing::Test {
 protected:
  Handed() {
    sts_.keys().set_hook([this](const SandboxCredentials& made) { aws().set_credentials(made); });
    host_.keys().set_hook([this](const SandboxCredentials& made) { aws().set_credentials(made); });
    variables().erase("AWS_ACCESS_KEY_ID");
    variables().erase("AWS_SECRET_ACCESS_KEY");
    variables()["AWS_ENDPOINT_URL_STS"] = sts_.endpoint();
    std::filesystem::create_directory(world_.folder() + "/.aws");
  }
  ~Handed() override { EXPECT_EQ(sts_.problems(), std::vector<std::string>{}); }

  AwsSandbox& aws() { return world_.aws(); }
  Program::Variables& variables() { return world_.variables(); }
  std::string file(const std::string& name, const std::string& text) {
    write_text(world_.folder() + "/" + name, text);
    return world_.folder() + "/" + name;
  }

  /// The very first call of the operation only proves the right.
  std::shared_ptr<SandboxGate> gate_before_first_delete() {
    return gate_before(world_, "DeleteMessageBatch", 2);
  }
  /// A run over several windows.
  std::unique_ptr<Program> start_run() {
    world_.send(60);
    return world_.start_run({"--empty-polls", "1", "--window-messages", "20"});
  }
  /// The same, which stands at the gate.
  std::unique_ptr<Program> start_run_until(SandboxGate& gate) {
    auto run = start_run();
    EXPECT_TRUE(gate.wait_for_call());
    return run;
  }

  std::string by_web_identity() {
    sts_.add_role({kRole, "", "", kToken});
    variables()["AWS_WEB_IDENTITY_TOKEN_FILE"] = file("token", kToken);
    variables()["AWS_ROLE_ARN"] = kRole;
    return std::string("web identity, role ") + kRole;
  }
  std::string by_instance_metadata() {
    variables().erase("AWS_EC2_METADATA_DISABLED");
    variables()["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = host_.endpoint();
    return "instance metadata, role loader";
  }
  std::string by_container() {
    host_.set_authorization(kToken);
    variables()["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = host_.container_url();
    variables()["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = file("token", kToken);
    return "container endpoint " + host_.endpoint();
  }
  std::string by_process() {
    aws().set_credentials({"AKPROCESS", "secret/of-a-process", "token/of-a-process"});
    const std::string script =
        file("keys.sh",
             "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"AKPROCESS\",\"SecretAccessKey\":"
             "\"secret/of-a-process\",\"SessionToken\":\"token/of-a-process\"}'\n");
    file(".aws/config", "[default]\ncredential_process = /bin/sh '" + script + "' " + kToken);
    return "credential_process of profile default in " + world_.folder() + "/.aws/config";
  }
  std::string by_a_chain_of_roles() {
    const SandboxCredentials keys;
    sts_.add_role({"arn:aws:iam::1:role/middle", keys.access_key, "an id", ""});
    sts_.add_role({kRole, "arn:aws:iam::1:role/middle", "", ""});
    file(".aws/config", std::string("[profile night]\nsource_profile = middle\nrole_arn = ") +
                            kRole +
                            "\n[profile middle]\nrole_arn = arn:aws:iam::1:role/middle\n"
                            "external_id = an id\ncredential_source = Environment\n");
    variables()["AWS_ACCESS_KEY_ID"] = keys.access_key;
    variables()["AWS_SECRET_ACCESS_KEY"] = keys.secret_key;
    variables()["SLUICE_PROFILE"] = "night";
    return std::string("role ") + kRole +
           " (profile night), from role arn:aws:iam::1:role/middle (profile middle), from the "
           "environment";
  }

  static void expect_no_secret(const Outcome& outcome) {
    for (const std::string& secret : {std::string("secret/"), std::string("token/"),
                                      std::string(kToken), SandboxCredentials().secret_key}) {
      EXPECT_EQ((outcome.out + outcome.err).find(secret), std::string::npos) << outcome.err;
    }
  }

  /// `check` tells where they are from, and a run drains the queue with them.
  void expect_drained(const std::string& origin) {
    const Outcome check = world_.call({"check", "--log-level", "debug"});
    EXPECT_EQ(check.status, 0) << check.out << check.err;
    EXPECT_NE(check.out.find("from " + origin), std::string::npos) << check.out;
    expect_no_secret(check);
    world_.send(20);
    const Outcome run = world_.run({"--empty-polls", "1", "--log-level", "debug"});
    EXPECT_EQ(run.status, 0) << run.err;
    expect_no_secret(run);
    world_.expect_everything_once();
  }

  LoginWorld world_;
  SandboxSts sts_;
  SandboxMetadata host_;
};

TEST_F(Handed, a_web_identity_drains_a_queue) { expect_drained(by_web_identity()); }
TEST_F(Handed, the_role_of_a_host_drains_a_queue) { expect_drained(by_instance_metadata()); }
TEST_F(Handed, a_container_drains_a_queue) { expect_drained(by_container()); }
TEST_F(Handed, what_a_process_prints_drains_a_queue) { expect_drained(by_process()); }

TEST_F(Handed, a_chain_of_roles_drains_a_queue) { expect_drained(by_a_chain_of_roles()); }

TEST_F(Handed, the_region_of_a_host_is_where_a_queue_is_looked_for_by_its_name) {
  by_instance_metadata();
  variables().erase("AWS_REGION");
  edit_pipeline(world_, R"("url": "https://sqs.us-east-1.amazonaws.com/000000000000/login-queue")",
                R"("name": "login-queue")");
  const Outcome check = world_.call({"check"});
  // The sandbox's queues are elsewhere, which shows in the signature's scope.
  EXPECT_NE(check.out.find("eu-north-1 (instance metadata)"), std::string::npos) << check.out;
  EXPECT_EQ(check.status, 77) << check.out;
}

TEST_F(Handed, keys_that_expire_in_the_middle_of_a_run_are_replaced_when_they_are_refused) {
  by_instance_metadata();
  const auto gate = gate_before_first_delete();
  const auto run = start_run_until(*gate);
  const int before = host_.keys().handed_out();
  const std::string key = "ASIAHOST" + std::to_string(before);
  aws().set_credentials({key, "secret/+&<of>" + key, "token/+=&<of>" + key, true});
  gate->open();
  const Outcome outcome = run->wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(host_.keys().handed_out(), before + 1);
  aws().take_problems();  // the refusals
  world_.expect_everything_once();
}

TEST_F(Handed, keys_that_live_shortly_are_replaced_ahead_of_their_end) {
  by_web_identity();
  sts_.keys().set_life(4000);
  const auto gate = gate_before_first_delete();
  const auto run = start_run_until(*gate);
  while (run->said().find("credentials-renewed") == std::string::npos) std::this_thread::yield();
  aws().set_credentials({"ASIAROLE1", "secret/+&<of>ASIAROLE1", "token/+=&<of>ASIAROLE1", true});
  gate->open();
  const Outcome outcome = run->wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  world_.expect_everything_once();
}

TEST_F(Handed, while_sts_is_away_a_run_goes_on_with_the_keys_it_has) {
  by_web_identity();
  sts_.keys().set_life(4000);
  const auto gate = gate_before_first_delete();
  const auto run = start_run_until(*gate);
  sts_.faults().add({.on = "AssumeRoleWithWebIdentity", .fault = {.status = 500, .code = "Oops"}});
  const std::size_t before = sts_.calls().size();
  while (sts_.calls().size() < before + 1) std::this_thread::yield();
  gate->open();
  const Outcome outcome = run->wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  world_.expect_everything_once();
}

TEST_F(Handed, while_sts_is_away_keys_that_expired_end_a_run_with_75_and_no_receipt_is_lost) {
  by_web_identity();
  variables()["AWS_MAX_ATTEMPTS"] = "2";
  TestSession holder = world_.database().session();
  holder.run("BEGIN; LOCK TABLE public.user_logins");  // so that nothing is deleted yet
  const auto run = start_run();
  wait_until_load_is_held(world_);
  sts_.faults().add({.on = "AssumeRoleWithWebIdentity", .fault = {.status = 500, .code = "Oops"}});
  const std::string key = "ASIAROLE" + std::to_string(sts_.keys().handed_out());
  aws().set_credentials({key, "secret/+&<of>" + key, "token/+=&<of>" + key, true});
  holder.run("ROLLBACK");
  const Outcome outcome = run->wait();
  EXPECT_EQ(outcome.status, 75) << outcome.err;
  expect_no_secret(outcome);
  expect_books_add_up(outcome.summary());
  aws().take_problems();  // the refusals
  sts_.faults().clear();
  for (int runs = 0; runs < 2; ++runs) {
    const Outcome next = world_.run({"--empty-polls", "1"});
    EXPECT_EQ(next.status, 0) << next.err;
    EXPECT_EQ(next.count("duplicate"), 0) << "what was loaded was deleted, and did not come again";
    world_.let_leases_lapse();
  }
  world_.expect_everything_once();
}

TEST_F(Handed, without_any_a_run_ends_with_77_and_says_where_to_put_them) {
  const Outcome outcome = world_.run();
  EXPECT_EQ(outcome.status, 77) << outcome.err;
  EXPECT_NE(outcome.err.find("none found"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("set AWS_ACCESS_KEY_ID"), std::string::npos) << outcome.err;
}

TEST_F(Handed, a_provider_that_is_away_ends_a_run_with_75_and_one_that_refuses_with_77) {
  by_web_identity();
  variables()["AWS_MAX_ATTEMPTS"] = "1";
  sts_.faults().add({.on = "*", .most = 1, .fault = {.status = 503, .code = "Away"}});
  const Outcome away = world_.run();
  EXPECT_EQ(away.status, 75) << away.err;
  file("token", std::string(kToken) + ".wrong");
  const Outcome refused = world_.run();
  EXPECT_EQ(refused.status, 77) << refused.err;
  expect_no_secret(refused);
}

}  // namespace
}  // namespace sluice
