// SPDX-License-Identifier: Apache-2.0
// Postgres in trouble in the middle of a load. It passes: the run goes on. It stays: the run ends
// with 75. Either way nothing is lost and nothing comes twice.
#include <filesystem>
#include <fstream>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

constexpr int kMessages = 10;

std::size_t times_in(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++times;
  return times;
}

/// Before each COPY into the table the database does this; `strike` counts them, from 1.
void before_each_copy(LoginWorld& world, const std::string& body) {
  world.database().run(
      "CREATE SEQUENCE public.strikes; CREATE TABLE public.other (n integer);"
      "CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS $$"
      "DECLARE strike bigint := nextval('public.strikes'); BEGIN " +
      body +
      " RETURN NULL; END$$;"
      "CREATE TRIGGER strike BEFORE INSERT ON public.user_logins EXECUTE FUNCTION strike()");
}
void heal(LoginWorld& world) {
  world.database().run("DROP TRIGGER IF EXISTS strike ON public.user_logins");
}

TEST(PostgresTrouble, whatever_strikes_once_in_a_load_is_tried_again) {
  const std::vector<std::pair<std::string, std::string>> strikes = {
      {"40001", "RAISE 'serialization' USING ERRCODE = '40001'"},
      {"40P01", "RAISE 'deadlock' USING ERRCODE = '40P01'"},
      {"57P01", "PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(600)"},
      {"57014", "PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(600)"},
      {"55P03", "SET LOCAL lock_timeout = '1ms'; LOCK TABLE public.other"},
      {"25006", "SET LOCAL transaction_read_only = on; INSERT INTO public.other VALUES (1)"},
      {"53400",
       "SET LOCAL temp_file_limit = 0; SET LOCAL work_mem = '64kB';"
       "PERFORM g FROM generate_series(1, 100000) AS g ORDER BY g DESC"},
      {"53200", "RAISE 'memory' USING ERRCODE = '53200'"},
      {"58030", "RAISE 'input and output' USING ERRCODE = '58030'"},
      {"XX001", "RAISE 'corrupted' USING ERRCODE = 'XX001'"}};
  LoginWorld world;
  world.answer_empty_polls_at_once();
  std::string body = "CASE strike";
  for (std::size_t i = 0; i < strikes.size(); ++i) {
    body += " WHEN " + std::to_string(2 * i + 1) + " THEN " + strikes[i].second + ";";
  }
  before_each_copy(world, body + " ELSE NULL; END CASE;");
  TestSession holder = world.database().session();
  holder.run("BEGIN; LOCK TABLE public.other IN ROW EXCLUSIVE MODE");
  world.send(static_cast<int>(5 * strikes.size()));
  const Outcome outcome = world.run({"--window-messages", "5"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const auto& [sqlstate, how] : strikes) {
    EXPECT_EQ(times_in(outcome.err, sqlstate), 1U) << sqlstate << "\n" << outcome.err;
  }
  EXPECT_EQ(times_in(outcome.err, "load-retried"), strikes.size()) << outcome.err;
  EXPECT_EQ(outcome.count("duplicate"), 0);
  expect_books_add_up(outcome.summary());
  world.expect_everything_once();
}

TEST(PostgresTrouble, the_victim_of_a_deadlock_loads_again) {
  // A `unique` key of the target is not sorted by ours: somebody else writes it the other way.
  LoginWorld world;
  world.answer_empty_polls_at_once();
  world.database().run("CREATE UNIQUE INDEX ON public.user_logins (user_id)");
  world.aws().sqs().with_queue(kLoginQueue, [](SandboxQueue& queue, Now at) {
    queue.send({.body = login_body("a"), .sent_ms = at.wall_ms - 1}, at);  // is loaded first
    queue.send({.body = login_body("b"), .sent_ms = at.wall_ms}, at);
  });
  const std::string insert =
      "INSERT INTO public.user_logins (user_id, device_type, masked_ip, masked_device_id, "
      "app_version) VALUES ";
  TestSession other = world.database().session();
  other.run("SET deadlock_timeout = '1min'; BEGIN; " + insert + "('b', '', '', '', 1)");
  const auto run = world.start_run();
  wait_until_load_is_held(world);
  other.run(insert + "('a', '', '', '', 1)");  // until the load is made to give way
  other.run("ROLLBACK");
  const Outcome outcome = run->wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(times_in(outcome.err, "40P01"), 1U) << outcome.err;
  EXPECT_EQ(world.database().value("SELECT string_agg(user_id, '' ORDER BY user_id) FROM "
                                   "public.user_logins"),
            "ab");
  EXPECT_EQ(world.left_in_queue(), 0U);
}

TEST(PostgresTrouble, a_server_that_crashes_or_is_restarted_in_the_middle_is_waited_for) {
  const OwnCluster cluster(SLUICE_SOURCE_DIR);
  LoginWorld world(true, cluster);
  world.answer_empty_polls_at_once();
  for (const char* mode : {"immediate", "fast"}) {
    SCOPED_TRACE(mode);
    world.send(kMessages);
    TestSession holder = world.database().session();
    holder.run("BEGIN; LOCK TABLE public.user_logins IN ACCESS EXCLUSIVE MODE");
    const auto run = world.start_run({"--window-messages", std::to_string(kMessages)});
    wait_until_load_is_held(world);
    cluster.halt(mode);
    EXPECT_EQ(world.left_in_queue(), static_cast<std::size_t>(kMessages));
    cluster.resume();
    const Outcome outcome = run->wait();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_GT(times_in(outcome.err, "load-retried"), 0U) << outcome.err;
    EXPECT_EQ(outcome.count("received"), kMessages);
    expect_books_add_up(outcome.summary());
    world.database().move_to(cluster);
    world.expect_everything_once();
  }
}

TEST(PostgresTrouble, at_the_start_it_ends_the_run_before_anything_is_received) {
  LoginWorld world;
  world.send(kMessages);
  const std::string& name = world.database().name();
  const std::string loader = world.database().make_loader();
  world.database().run("GRANT INSERT ON public.user_logins TO " + loader + "; ALTER ROLE " +
                       loader + " PASSWORD 'loaders-own-word'");
  world.variables()["PGUSER"] = loader;
  world.variables()["PGPASSWORD"] = "loaders-own-word";
  const std::vector<std::vector<std::string>> troubles = {
      {"ALTER DATABASE " + name + " SET default_transaction_read_only = on",
       "ALTER DATABASE " + name + " RESET default_transaction_read_only", "read-only"},
      {"ALTER DATABASE " + name + " CONNECTION LIMIT 0",
       "ALTER DATABASE " + name + " CONNECTION LIMIT -1", "53300"},
      {"ALTER ROLE " + loader + " CONNECTION LIMIT 0",
       "ALTER ROLE " + loader + " CONNECTION LIMIT -1", "53300"}};
  TestSession admin(TestCluster::shared().conninfo("postgres"));
  for (const auto& trouble : troubles) {
    admin.run(trouble[0]);
    const Outcome outcome = world.run();
    admin.run(trouble[1]);
    EXPECT_EQ(outcome.status, 75) << outcome.err;
    EXPECT_NE(outcome.err.find(trouble[2]), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(tally(world).deliveries, 0U);
  world.answer_empty_polls_at_once();
  world.run_until_empty();
  world.expect_everything_once();
}

/// A tablespace without a free byte, or, where nobody may mount, a trigger that says the same.
class FullDisk {
 public:
  explicit FullDisk(LoginWorld& world) : world_(world), path_(world.folder() + "-tablespace") {
    std::filesystem::create_directory(path_);
    if (::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=1m") != 0) {
      before_each_copy(world, "RAISE 'no space left' USING ERRCODE = '53100';");
      return;
    }
    mounted_ = true;
    struct stat server {};
    ::stat(TestCluster::shared().value("SLUICE_POSTGRES_DATA").c_str(), &server);
    [[maybe_unused]] const int owned = ::chown(path_.c_str(), server.st_uid, server.st_gid);
    ::chmod(path_.c_str(), 0700);
    world.database().run("CREATE TABLESPACE " + space() + " LOCATION '" + path_ + "'");
    world.database().run("ALTER TABLE public.user_logins SET TABLESPACE " + space());
    std::ofstream filler(path_ + "/filler");
    while (filler << std::string(4096, 'x') << std::flush) {
    }
  }
  ~FullDisk() {
    try {
      if (mounted_) {
        world_.database().run("ALTER TABLE public.user_logins SET TABLESPACE pg_default");
        world_.database().run("DROP TABLESPACE " + space());
      }
    } catch (const std::exception&) {  // the cluster goes as a whole soon
    }
    ::umount2(path_.c_str(), MNT_DETACH);
    std::filesystem::remove_all(path_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  void make_room() {
    mounted_ ? static_cast<void>(std::filesystem::remove(path_ + "/filler")) : heal(world_);
  }

 private:
  std::string space() const { return "full_" + world_.database().name(); }

  LoginWorld& world_;
  std::string path_;
  bool mounted_ = false;
};

TEST(PostgresTrouble, that_stays_ends_each_run_with_75_after_a_minute_of_tries_and_loses_nothing) {
  const OwnCluster away(SLUICE_SOURCE_DIR);
  LoginWorld stopped(true, away);
  LoginWorld serialization;
  LoginWorld crowded;
  LoginWorld full;
  FullDisk disk(full);
  before_each_copy(serialization, "RAISE 'again' USING ERRCODE = '40001';");
  const std::string loader = crowded.database().make_loader();
  crowded.database().run("GRANT INSERT ON public.user_logins TO " + loader + "; ALTER ROLE " +
                         loader + " PASSWORD 'loaders-own-word'");
  crowded.variables()["PGUSER"] = loader;
  crowded.variables()["PGPASSWORD"] = "loaders-own-word";

  const std::map<std::string, LoginWorld*> worlds = {
      {"57P03", &stopped}, {"40001", &serialization}, {"53300", &crowded}, {"53100", &full}};
  std::map<std::string, std::unique_ptr<Program>> runs;
  for (const auto& [sqlstate, world] : worlds) {
    world->answer_empty_polls_at_once();
    world->send(kMessages);
  }
  const auto held = [](LoginWorld& world, auto trouble) {
    TestSession holder = world.database().session();
    holder.run("BEGIN; LOCK TABLE public.user_logins IN ACCESS EXCLUSIVE MODE");
    auto run = world.start_run();
    wait_until_load_is_held(world);
    trouble();
    return run;
  };
  runs["57P03"] = held(stopped, [&] { away.halt("immediate"); });
  runs["53300"] = held(crowded, [&] {
    crowded.database().run("ALTER ROLE " + loader + " CONNECTION LIMIT 0");
    crowded.database().terminate("true");
  });
  runs["40001"] = serialization.start_run();
  runs["53100"] = full.start_run();

  for (const auto& [sqlstate, world] : worlds) {
    SCOPED_TRACE(sqlstate);
    const Outcome outcome = runs[sqlstate]->wait(std::chrono::minutes(2));
    EXPECT_EQ(outcome.status, 75) << outcome.err;
    EXPECT_EQ(outcome.summary().at("error").at("fault"), "temporary");
    if (world != &stopped) {  // there nobody answers
      EXPECT_NE(outcome.err.find(sqlstate), std::string::npos) << outcome.err;
    }
    EXPECT_EQ(outcome.count("carried_out"), kMessages);
    EXPECT_EQ(outcome.count("deleted"), 0);
    expect_books_add_up(outcome.summary());
    const std::size_t tries = times_in(outcome.err, "load-retried");
    EXPECT_GT(tries, 5U);
    EXPECT_LT(tries, 30U) << "a hot loop";
    EXPECT_EQ(world->left_in_queue(), static_cast<std::size_t>(kMessages));
  }

  away.resume();
  stopped.database().move_to(away);
  heal(serialization);
  crowded.database().run("ALTER ROLE " + loader + " CONNECTION LIMIT -1");
  disk.make_room();
  for (const auto& [sqlstate, world] : worlds) {
    SCOPED_TRACE(sqlstate);
    const Outcome next = world->run();
    EXPECT_EQ(next.status, 0) << next.err;
    EXPECT_EQ(next.count("carried_in"), kMessages);
    world->run_until_empty();
    world->expect_everything_once();
  }
}

}  // namespace
}  // namespace sluice
