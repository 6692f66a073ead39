// SPDX-License-Identifier: Apache-2.0
// What is wrong before the first message is found before the first message (promise G10), and told
// in one line with a hint.
#include <set>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "job/config/options.h"
#include "tests/end_to_end/scene.h"
#include "tests/support/small_disk.h"

namespace sluice {
namespace {

void expect_told(const Outcome& outcome, int status, const std::string& named) {
  EXPECT_EQ(outcome.status, status) << outcome.out << outcome.err;
  const auto errors = errors_in(outcome.err);
  ASSERT_EQ(errors.size(), 1U) << outcome.err;
  EXPECT_NE(errors[0].at("message").as_string().find(named), std::string::npos) << outcome.err;
  ASSERT_TRUE(errors[0].contains("hint")) << outcome.err;
  EXPECT_FALSE(errors[0].at("hint").as_string().empty()) << outcome.err;
  for (const char* trace :
       {"terminate called", "what():", "Sanitizer", "checkpoint checkpoint /"}) {
    EXPECT_EQ(outcome.err.find(trace), std::string::npos) << outcome.err;
  }
}

class Refusing : public testing::Test {
 protected:
  void SetUp() override { world.send(3); }

  void expect_nothing_touched() {
    const QueueTally after = tally(world);
    EXPECT_EQ(after.deliveries, 0U);
    EXPECT_EQ(after.visible, after.sent);
  }

  /// `run` and `check` both say so, and nothing was received.
  void expect_refused(int status, const std::string& named,
                      const std::vector<std::string>& flags = {},
                      const std::vector<std::string>& before = {}) {
    SCOPED_TRACE(named);
    const Outcome run = world.start_run(flags, before)->wait();
    expect_told(run, status, named);
    if (status != 64) {
      EXPECT_EQ(run.summary().at("exit_code"), status);
      EXPECT_EQ(run.summary().at("status"), "failed");
      expect_books_add_up(run.summary());
    }
    std::vector<std::string> words = {"check"};
    words.insert(words.end(), flags.begin(), flags.end());
    const Outcome check = Program(world.folder(), words, world.variables(), before).wait();
    EXPECT_EQ(check.status, status) << check.out << check.err;
    EXPECT_NE((check.out + check.err).find(named), std::string::npos) << check.out << check.err;
    EXPECT_NE((check.out + check.err).find("hint"), std::string::npos) << check.out << check.err;
    expect_nothing_touched();
  }

  LoginWorld world;
};

TEST_F(Refusing, a_pipeline_file_that_is_wrong_is_refused_by_every_command_that_reads_it) {
  const std::string good = text_of(world.pipeline());
  struct Case {
    std::string text;
    std::string named;
  };
  const std::vector<Case> cases = {
      {"", world.pipeline()},
      {"user_logins", world.pipeline()},
      {"{\"version\": 1", world.pipeline()},
      {"[]", world.pipeline()},
      {replaced(good, "\"version\": 1", "\"version\": \"one\""), "version"},
      {replaced(good, "\"version\": 1", "\"version\": 9"), "version"},
      {replaced(good, "\"tables\": [ {", "\"tables\": 5, \"x\": [ {"), "tables"},
      {replaced(good, "\"required\": true }", "\"required\": \"yes\" }"), "required"},
      {replaced(good, "\"rejections\"", "\"rejection\""), "rejections"},
      {replaced(good, "\"required\": true }", "\"requierd\": true }"), "required"},
      {replaced(good, "\"version\": 1,", "\"version\": 1, \"version\": 1,"), "version"},
      {replaced(good, "\"method\": \"hmac-sha256\"", "\"method\": \"hmac-sha265\""), "hmac-sha256"},
      {replaced(good, "varchar(128)", "varchat(128)"), "varchat"},
      {replaced(good, "\"name\": \"user_logins\"", "\"name\": \"../x\""), "name"},
      {replaced(good, "version-number", "versoin-number"), "version-number"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.text.substr(0, 60));
    write_text(world.pipeline(), each.text);
    expect_refused(78, each.named);
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"migrate", "--with-tables"},
          std::vector<std::string>{"preview", "--input", "/dev/null"},
          std::vector<std::string>{"status"}}) {
      const Outcome outcome = world.call(command);
      expect_told(outcome, 78, each.named);
      expect_told(outcome, 78, world.pipeline());
    }
  }
}

TEST_F(Refusing, a_fault_of_the_pipeline_file_is_told_with_its_line) {
  edit_pipeline(world, "\"type\": \"varchar(32)\",  \"required\": true }",
                "\"type\": \"varchar(32)\",  \"requred\": true }");
  const Outcome outcome = world.run();
  expect_told(outcome, 78, world.pipeline() + ":12");
  EXPECT_NE(outcome.err.find("did you mean"), std::string::npos) << outcome.err;
}

TEST_F(Refusing, a_pipeline_file_that_is_missing_is_named) {
  world.variables()["SLUICE_PIPELINE"] = world.folder() + "/none.json";
  expect_refused(78, "/none.json");
  world.variables().erase("SLUICE_PIPELINE");
  expect_refused(64, "pipeline");
}

TEST_F(Refusing, a_keyring_that_is_missing_malformed_or_open_to_others) {
  const std::string good = text_of(world.keyring());
  const boost::json::object keys = boost::json::parse(good).as_object();
  auto no_current = keys;
  no_current["current"] = "another";
  auto no_keys = keys;
  no_keys["keys"] = boost::json::array{};
  auto short_key = keys;
  short_key["keys"].as_array()[0].as_object()["secret"] = "AAAA";
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), boost::json::serialize(no_current),
        boost::json::serialize(no_keys), boost::json::serialize(short_key)}) {
    write_text(world.keyring(), text);
    expect_refused(78, world.keyring());
    expect_told(world.call({"preview", "--input", "/dev/null"}), 78, world.keyring());
    expect_told(world.call({"keygen", "--rotate"}), 78, world.keyring());
  }
  write_text(world.keyring(), good);
  ::chmod(world.keyring().c_str(), 0620);
  expect_refused(78, "others can write");
  struct statfs disk {};
  ASSERT_EQ(::statfs(world.folder().c_str(), &disk), 0);
  if (disk.f_type != TMPFS_MAGIC) {  // there, its readers are the business of whoever mounted it
    ::chmod(world.keyring().c_str(), 0644);
    expect_refused(78, "others can read");
  }
  std::filesystem::remove(world.keyring());
  expect_refused(78, world.keyring());
}

TEST_F(Refusing, keygen_never_overwrites_a_keyring) {
  const std::string before = text_of(world.keyring());
  expect_told(world.call({"keygen"}), 78, world.keyring());
  EXPECT_EQ(text_of(world.keyring()), before);
  world.variables()["SLUICE_KEYRING"] = world.folder() + "/none/keyring.json";
  expect_told(world.call({"keygen"}), 78, "none/keyring.json");
}

TEST_F(Refusing, credentials_that_are_missing_wrong_or_expired) {
  const SandboxCredentials keys;
  world.variables()["AWS_SECRET_ACCESS_KEY"] = "of-somebody-else";
  expect_refused(77, "SignatureDoesNotMatch");
  world.variables()["AWS_ACCESS_KEY_ID"] = "AKIDNOBODY";
  expect_refused(77, "InvalidClientTokenId");
  world.aws().set_credentials({.access_key = "AKIDOLD", .token = "stale", .expired = true});
  world.variables()["AWS_ACCESS_KEY_ID"] = "AKIDOLD";
  world.variables()["AWS_SECRET_ACCESS_KEY"] = keys.secret_key;
  world.variables()["AWS_SESSION_TOKEN"] = "stale";
  expect_refused(77, "xpired");
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}) {
    world.variables().erase(name);
  }
  world.variables()["AWS_EC2_METADATA_DISABLED"] = "true";
  expect_refused(77, "credentials");
  world.aws().take_problems();
}

TEST_F(Refusing, a_queue_that_is_missing_elsewhere_or_closed_to_us) {
  expect_refused(78, "no-such-queue",
                 {"--queue-url", "https://sqs.us-east-1.amazonaws.com/000000000000/no-such-queue"});
  expect_refused(78, "eu-west-1", {"--region", "eu-west-1"});  // the queue's URL says another
  // A URL that names no region; SQS checks the signature first, and that names one.
  expect_refused(77, "eu-west-1",
                 {"--queue-url", world.aws().endpoint() + "/000000000000/login-queue", "--region",
                  "eu-west-1"});
  for (const char* operation :
       {"GetQueueAttributes", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"}) {
    world.aws().faults().add(
        {.on = operation, .fault = {.status = 403, .code = "AccessDeniedException"}});
    expect_refused(77, "AccessDenied");
    world.aws().faults().clear();
  }
}

TEST_F(Refusing, a_dedup_horizon_that_a_message_could_outlive) {
  expect_refused(78, "dedup-days", {"--dedup-days", "3"});
}

TEST_F(Refusing, an_endpoint_where_nobody_listens_is_temporary) {
  world.variables()["AWS_MAX_ATTEMPTS"] = "1";
  world.variables()["AWS_ENDPOINT_URL_SQS"] = "http://127.0.0.1:1";
  expect_refused(75, "127.0.0.1");
}

TEST_F(Refusing, a_postgres_that_is_away_unknown_or_closed_to_us) {
  const Program::Variables good = world.variables();
  world.variables()["PGPORT"] = "1";
  expect_refused(75, "127.0.0.1");
  world.variables() = good;
  world.variables()["PGPASSWORD"] = "of-somebody-else";
  expect_refused(77, "password");
  world.variables() = good;
  world.variables()["PGDATABASE"] = "no_such_database";
  expect_refused(78, "no_such_database");
  world.variables() = good;
  const std::string loader = world.database().make_loader();
  world.database().run("ALTER ROLE " + loader + " PASSWORD 'loaders-own-word'");
  world.variables()["PGUSER"] = loader;
  world.variables()["PGPASSWORD"] = "loaders-own-word";
  expect_refused(77, "public.user_logins");
  world.database().run("GRANT INSERT ON public.user_logins TO " + loader +
                       "; REVOKE sluice_loader FROM " + loader);
  expect_refused(77, "schema sluice");
}

TEST_F(Refusing, a_connection_string_that_cannot_be_one) {
  expect_told(world.run({"--postgres", "host"}), 64, "onnection");
  for (const char* conninfo :
       {"host=127.0.0.1 password=hunter2", "postgresql://me:hunter2@127.0.0.1/db"}) {
    const Outcome outcome = world.run({"--postgres", conninfo});
    expect_told(outcome, 64, "--postgres");
    EXPECT_EQ((outcome.out + outcome.err).find("hunter2"), std::string::npos) << outcome.err;
  }
  expect_nothing_touched();
}

TEST_F(Refusing, a_table_that_does_not_fit_the_pipeline) {
  const auto change = [this](const std::string& sql) { world.database().run(sql); };
  change("ALTER TABLE public.user_logins RENAME COLUMN locale TO language");
  expect_refused(78, "locale");
  change("ALTER TABLE public.user_logins RENAME COLUMN language TO locale");
  change("ALTER TABLE public.user_logins ALTER COLUMN app_version TYPE bigint");
  expect_refused(78, "app_version");
  change("ALTER TABLE public.user_logins ALTER COLUMN app_version TYPE integer");
  change("ALTER TABLE public.user_logins ALTER COLUMN masked_ip TYPE varchar(40)");
  expect_refused(78, "masked_ip");
  change("ALTER TABLE public.user_logins ALTER COLUMN masked_ip TYPE varchar(256)");
  change("ALTER TABLE public.user_logins ADD COLUMN country text NOT NULL");
  expect_refused(78, "country");
  change("ALTER TABLE public.user_logins DROP COLUMN country");
  change("ALTER TABLE public.user_logins ALTER COLUMN locale SET NOT NULL");
  expect_refused(78, "locale");
  change("DROP TABLE public.user_logins");
  expect_refused(78, "public.user_logins");
}

TEST_F(Refusing, a_schema_of_ours_that_is_missing_or_newer_than_the_program) {
  world.database().run("INSERT INTO sluice.migration (version, name) VALUES (9999, 'future')");
  expect_refused(78, "9999");
  expect_told(world.call({"migrate"}), 78, "schema sluice");
  expect_told(world.call({"status"}), 78, "schema sluice");
  world.database().run("DROP SCHEMA sluice CASCADE");
  expect_refused(78, "schema sluice");
  expect_told(world.call({"status"}), 78, "schema sluice");
}

TEST_F(Refusing, a_checkpoint_that_can_be_none) {
  world.variables()["SLUICE_CHECKPOINT"] = "checkpoint.db";
  expect_refused(78, "absolute");
  world.variables()["SLUICE_CHECKPOINT"] = world.folder() + "/none/checkpoint.db";
  expect_refused(78, "/none/checkpoint.db");
  world.variables()["SLUICE_CHECKPOINT"] = world.folder();
  expect_refused(78, "folder");
}

TEST_F(Refusing, a_checkpoint_of_another_pipeline) {
  EXPECT_EQ(world.run({"--max-messages", "1"}).status, 0);
  edit_pipeline(world, "\"name\": \"user_logins\"", "\"name\": \"other_logins\"");
  const Outcome outcome = world.run();
  expect_told(outcome, 78, "user_logins");
  EXPECT_EQ(tally(world).deliveries, 1U);
}

TEST_F(Refusing, a_checkpoint_on_a_disk_that_is_read_only_or_full) {
  const std::string disk = world.folder() + "/disk";
  std::filesystem::create_directory(disk);
  // A container may forbid both ways. What the program makes of such disks is then still tested by
  // CheckpointOpening (tests/unit), which runs everywhere: a file size limit stands for the full
  // one.
  if (!SmallDisk::is_allowed()) GTEST_SKIP() << "no right to mount a file system";
  world.variables()["SLUICE_CHECKPOINT"] = disk + "/checkpoint.db";
  const std::vector<std::string> small = {"--window-bytes", "1MiB"};
  constexpr int kMib = 4;
  const SmallDisk mounted(disk, kMib);
  expect_refused(75, disk + "/checkpoint.db", small, mounted.before());
  mounted.remount("ro");
  expect_refused(78, disk + "/checkpoint.db", small, mounted.before());
}

TEST_F(Refusing, a_folder_that_this_user_may_not_write) {
  const std::string closed = world.folder() + "/closed";
  std::filesystem::create_directory(closed);
  ::chmod(closed.c_str(), 0555);
  world.variables()["SLUICE_CHECKPOINT"] = closed + "/checkpoint.db";
  // Root may write anywhere, so as root the program becomes somebody else.
  std::vector<std::string> as_somebody;
  if (::geteuid() == 0) {
    as_somebody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    for (const auto& entry : std::filesystem::directory_iterator(world.folder())) {
      ASSERT_EQ(::chown(entry.path().c_str(), 65534, 65534), 0);
    }
    ASSERT_EQ(::chown(closed.c_str(), 0, 0), 0);
    ::chmod(world.folder().c_str(), 0755);
  }
  expect_refused(78, closed + "/checkpoint.db", {}, as_somebody);
}

TEST_F(Refusing, a_damaged_checkpoint_is_set_aside_and_the_run_goes_on) {
  write_text(world.checkpoint(), std::string(8192, 'x'));
  const Outcome outcome = world.run({"--empty-polls", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("set-aside"), std::string::npos) << outcome.err;
  world.expect_everything_once();
  bool kept = false;
  for (const auto& entry : std::filesystem::directory_iterator(world.folder())) {
    kept = kept || text_of(entry.path()) == std::string(8192, 'x');
  }
  EXPECT_TRUE(kept);
}

TEST_F(Refusing, a_checkpoint_of_another_queue_or_database_is_set_aside_and_the_run_goes_on) {
  EXPECT_EQ(world.run({"--empty-polls", "1"}).status, 0);
  const std::string other = world.aws().sqs().add_queue({.name = "other-queue"});
  const Outcome queue = world.run({"--empty-polls", "1", "--queue-url", other});
  EXPECT_EQ(queue.status, 0) << queue.err;
  EXPECT_NE(queue.err.find("set-aside"), std::string::npos) << queue.err;
  TestDatabase database;
  for (const auto& [name, value] : database.environment()) world.variables()[name] = value;
  EXPECT_EQ(world.call({"migrate", "--with-tables"}).status, 0);
  const Outcome moved = world.run({"--empty-polls", "1", "--queue-url", other});
  EXPECT_EQ(moved.status, 0) << moved.err;
  EXPECT_NE(moved.err.find("set-aside"), std::string::npos) << moved.err;
}

/// Values that the option must not take.
std::vector<std::string> bad_values(const Option& option) {
  using Type = Option::Type;
  const std::string below = std::to_string(option.least - 1);
  const std::string above = std::to_string(option.most + 1);
  switch (option.type) {
    case Type::count:
      return {below, above, "many", "1.5", "1x", "99999999999999999999"};
    case Type::duration:
      return {below + "ms", above + "ms", "soon", "5 s", "1y", "99999999999999999999s"};
    case Type::bytes:
      return {below, above, "big", "1MB?", "99999999999999999999"};
    case Type::share:
      return {"101%", "-1", "-1%", "few", "%"};
    case Type::moment:
      return {"yesterday", "2026-11-20", "2026-11-20T10:07:00", "2026-13-20T10:07:00Z"};
    case Type::word:
      return {"nonsense"};
    case Type::flag:
    case Type::text:
    case Type::secret:
    case Type::path:
    case Type::paths:
      return {};
  }
  return {};
}

TEST(RefusingOptions, a_value_out_of_range_is_refused_wherever_it_comes_from) {
  const LoginWorld world(false);
  for (const Option& option : options()) {
    const std::string command =
        option.commands.empty() ? "run"
                                : std::string(option.commands.substr(0, option.commands.find(' ')));
    const std::string name(option.name);
    const std::string file = world.folder() + "/" + name + ".conf";
    const std::vector<std::string> values = bad_values(option);
    for (std::size_t i = 0; i < values.size(); ++i) {
      SCOPED_TRACE(name + " = " + values[i]);
      expect_told(Program(world.folder(), {command, "--" + name + "=" + values[i]}, {}).wait(), 64,
                  name);
      if (i > 0) continue;
      expect_told(Program(world.folder(), {command}, {{variable_of(option), values[i]}}).wait(), 64,
                  variable_of(option));
      write_text(file, name + " = " + values[i] + "\n");
      expect_told(Program(world.folder(), {command, "--config", file}, {}).wait(), 64, file);
    }
  }
}

TEST(RefusingOptions, a_command_line_that_cannot_be_understood) {
  const LoginWorld world(false);
  struct Case {
    std::vector<std::string> words;
    std::string named;
  };
  for (const auto& [words, named] :
       std::vector<Case>{{{}, "no command"},
                         {{"drain"}, "drain"},
                         {{"runn"}, "did you mean"},
                         {{"run", "--max-mesages", "5"}, "did you mean"},
                         {{"run", "--max-run", "5m"}, "--max-run"},
                         {{"run", "--max-messages"}, "max-messages"},
                         {{"run", "stray"}, "stray"},
                         {{"run", "--max-messages", "5", "--max-messages", "6"}, "twice"},
                         {{"run", "--input", "x"}, "input"},
                         {{"run", "--worker", "../x"}, "../x"},
                         {{"preview"}, "--input"},
                         {{"completion", "tcsh"}, "shell"},
                         {{"completion"}, "shell"}}) {
    SCOPED_TRACE(named);
    const Outcome outcome =
        Program(world.folder(), words,
                {{"SLUICE_PIPELINE", world.pipeline()}, {"SLUICE_KEYRING", world.keyring()}})
            .wait();
    expect_told(outcome, 64, named);
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(RefusingOptions, a_configuration_file_that_is_missing_or_has_unknown_keys) {
  const LoginWorld world(false);
  const std::string file = world.folder() + "/sluice.conf";
  expect_told(Program(world.folder(), {"run", "--config", file}, {}).wait(), 78, file);
  expect_told(Program(world.folder(), {"run", "--config", world.folder()}, {}).wait(), 78,
              world.folder());
  write_text(file, "max-mesages = 5\n");
  expect_told(Program(world.folder(), {"run", "--config", file}, {}).wait(), 64, "max-mesages");
}

}  // namespace
}  // namespace sluice
