// SPDX-License-Identifier: Apache-2.0
// No clear value and no secret is found where it must not be, whatever happened (promise G5). Every
// other test of the program looks for them too, when its LoginWorld ends.
#include "tests/end_to_end/privacy.h"

#include <thread>

#include <signal.h>

namespace sluice {
namespace {

TEST_F(Privacy, no_clear_value_stays_after_rows_rejections_and_refusals) {
  world.database().run("ALTER TABLE public.user_logins ADD CHECK (device_type <> 'toaster')");
  for (int i = 0; i < 20; ++i) world.send_body(canary_body(std::to_string(i)));
  const std::string good = canary_body("bad");
  for (const std::string& bad :
       {good.substr(0, good.size() - 1), "[" + good + "]", replaced(good, "1.2.3", "x-1"),
        replaced(good, "\"ip\":\"", "\"ip\":\"not an address "),
        replaced(good, "\"device_id\":\"", "\"device_id\":\"" + std::string(40, 'x')),
        replaced(good, "{", "{\"ip\":\"" + std::string(kIp) + "\","),
        replaced(good, "\"ios\"", "\"" + std::string(kIp) + std::string(kDevice) + "\""),
        std::string(kDevice), "\"" + std::string(kIp) + "\"",
        replaced(good, "\"app_version\"", "\"" + std::string(kDevice) + "\""),
        canary_body("refused", "toaster")}) {
    world.send_body(bad);
  }
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("received"), 31);
  EXPECT_GE(outcome.count("rejected"), 9);
  EXPECT_EQ(world.call({"check", "--show-config"}).status, 0);
  EXPECT_EQ(world.call({"status"}).status, 0);
  world.expect_nothing_in_clear();
}

TEST_F(Privacy, no_clear_value_stays_after_a_kill_in_the_middle_of_a_load) {
  TestSession holder = world.database().session();
  holder.run("BEGIN; LOCK TABLE public.user_logins IN SHARE MODE");
  for (int i = 0; i < 20; ++i) world.send_body(canary_body(std::to_string(i)));
  world.send_body(canary_body("bad").substr(1));
  const auto run = world.start_run();
  wait_until_load_is_held(world);
  run->kill();
  EXPECT_EQ(run->wait().status, 137);
  world.expect_nothing_in_clear();
  holder.run("ROLLBACK");
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(world.database().value("SELECT count(*) FROM public.user_logins"), "20");
  world.expect_nothing_in_clear();
}

TEST_F(Privacy, no_clear_value_reaches_the_log_of_a_server_that_logs_everything) {
  // Type errors, checks, unique keys and a trigger that tells every row, each with the values in
  // message, DETAIL or CONTEXT.
  world.database().run(
      "ALTER TABLE public.user_logins ADD CHECK (device_type <> 'toaster');"
      "CREATE UNIQUE INDEX ON public.user_logins (user_id);"
      "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      "  RAISE NOTICE 'this row: %', NEW; RAISE WARNING 'this row: %', NEW;"
      "  IF NEW.locale = 'ZZ' THEN PERFORM NEW.masked_ip::inet; END IF;"
      "  IF NEW.locale = 'YY' THEN RAISE EXCEPTION 'this row: %', NEW USING DETAIL = NEW::text,"
      "    HINT = NEW::text, COLUMN = NEW.user_id, ERRCODE = 'check_violation'; END IF;"
      "  RETURN NEW; END $$;"
      "CREATE TRIGGER tell BEFORE INSERT ON public.user_logins FOR EACH ROW EXECUTE FUNCTION "
      "tell()");
  world.send_body(canary_body("told-user-good"));
  world.send_body(canary_body("told-user-good"));  // another message
  world.send_body(canary_body("told-user-check", "toaster"));
  world.send_body(replaced(canary_body("told-user-type"), "\"DE\"", "\"ZZ\""));
  world.send_body(replaced(canary_body("told-user-raise"), "\"DE\"", "\"YY\""));
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.count("rejected"), 4);
  EXPECT_NE(text_of(world.server_log()).find("this row: (told-user-good"), std::string::npos)
      << "the trigger told nothing";
  EXPECT_EQ((outcome.out + outcome.err).find("told-user"), std::string::npos) << outcome.err;
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.rejected_message r WHERE "
                                   "coalesce(detail, '') || coalesce(field, '') ~ 'told-user' OR "
                                   "detail ~ '[0-9a-f]{64}'"),
            "0");
}

TEST_F(Privacy, a_trigger_that_stops_the_load_gets_no_clear_value_into_a_message) {
  const std::string text = "row in " + world.database().name();
  const auto told = [&] {
    const std::string log = text_of(world.server_log());
    std::size_t times = 0;
    for (auto at = log.find("ERROR:  " + text); at != log.npos;
         at = log.find("ERROR:  " + text, at + 1)) {
      ++times;
    }
    return times;
  };
  for (const std::string state : {"P0001", "XX000", "0A000", "40001", "53100"}) {
    world.database().run(
        "CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '" +
        text + ": %', NEW USING ERRCODE = '" + state +
        "',"
        "DETAIL = 'detail of ' || NEW, HINT = 'hint of ' || NEW; END $$;"
        "CREATE OR REPLACE TRIGGER tell BEFORE INSERT ON public.user_logins "
        "FOR EACH ROW EXECUTE FUNCTION tell()");
    world.send_body(canary_body("somebody"));
    const std::size_t before = told();
    const auto run = world.start_run();
    while (told() == before && !run->has_ended()) std::this_thread::yield();
    run->signal(SIGTERM);  // some are tried again and again
    const Outcome outcome = run->wait();
    EXPECT_GT(told(), before) << state;
    for (const char* more : {"detail of", "hint of"}) {
      EXPECT_EQ((outcome.out + outcome.err).find(more), std::string::npos) << outcome.err;
    }
  }
}

TEST_F(Privacy, no_command_shows_a_clear_value_or_a_secret) {
  world.leave_out("input");
  for (int i = 0; i < 3; ++i) world.send_body(canary_body(std::to_string(i)));
  world.send_body(canary_body("bad").substr(1));
  write_text(world.folder() + "/input", canary_body("good") + "\n" + canary_body("bad").substr(1));
  const auto succeeds = [this](const std::vector<std::string>& words) {
    const Outcome outcome = world.call(words);
    EXPECT_EQ(outcome.status, 0) << words[0] << outcome.err;
    return outcome.out;
  };
  EXPECT_NE(succeeds({"preview", "--input", world.folder() + "/input"}).find("masked_ip"),
            std::string::npos);
  EXPECT_NE(succeeds({"preview", "--from-queue", "10"}).find("\"rejected\""), std::string::npos);
  EXPECT_EQ(world.run().status, 0);
  succeeds({"check", "--show-config"});
  succeeds({"check", "--show-config", "--json"});
  succeeds({"status"});
  succeeds({"status", "--json"});
  succeeds({"migrate", "--print-sql"});
  succeeds({"schema"});
  succeeds({"--help"});
  for (const char* shell : {"bash", "zsh", "fish"}) succeeds({"completion", shell});
  EXPECT_EQ(succeeds({"keygen", "--rotate", "--json"}).find("secret"), std::string::npos);
  EXPECT_EQ(world.call({"keygen"}).status, 78);  // it is there already
}

TEST_F(Privacy, no_secret_is_told_to_anybody) {
  world.send(5);
  const auto gate = gate_before(world, "ReceiveMessage");
  const auto run = world.start_run({"--max-messages", "5"});
  ASSERT_TRUE(gate->wait_for_call());
  const std::string words = text_of("/proc/" + std::to_string(run->pid()) + "/cmdline");
  EXPECT_NE(words.find("run"), std::string::npos);
  for (const char* secret : {"PGPASSWORD", "AWS_SECRET_ACCESS_KEY"}) {
    EXPECT_EQ(words.find(world.variables()[secret]), std::string::npos);
  }
  gate->open();
  EXPECT_EQ(run->wait().status, 0);
  const std::string right = world.variables()["PGPASSWORD"];
  world.variables()["PGPASSWORD"] = "wrong-canary-word";
  EXPECT_EQ(world.run().status, 77);
  world.variables()["PGPASSWORD"] = right;
  world.variables()["AWS_SESSION_TOKEN"] = "wrong-canary-token";
  EXPECT_EQ(world.run().status, 77);
}

}  // namespace
}  // namespace sluice
