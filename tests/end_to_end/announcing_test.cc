// SPDX-License-Identifier: Apache-2.0
// What a run announces to services around it: each once and in order, and whatever they do, the run
// ends as it would without them.
#include <algorithm>
#include <chrono>
#include <future>
#include <mutex>

#include <signal.h>

#include "tests/contract/raw_server.h"
#include "tests/end_to_end/scene.h"
#include "tests/support/sandbox_http.h"

namespace sluice {
namespace {

using std::chrono::steady_clock;

constexpr const char* kTraceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr const char* kTraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr const char* kPingPath = "/secret-4f7d2c91-b8aa";
constexpr const char* kApiKey = "secret-key-of-the-catalogue";
constexpr const char* kPushPath = "/metrics/job/sluice/pipeline/user_logins/worker/one";

/// Stands for all three services, and writes down who called.
class Services {
 public:
  explicit Services(int status = 200)
      : http_([this, status](const SandboxRequest& request) {
          const std::lock_guard lock(mutex_);
          requests_.push_back(request);
          return SandboxAnswer{.status = status};
        }) {}

  std::string address() const { return "http://127.0.0.1:" + std::to_string(http_.port()); }
  std::vector<SandboxRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  /// "GET /path", "POST /metrics", "START" …, in the order in which they came.
  std::vector<std::string> calls() const {
    std::vector<std::string> calls;
    for (const SandboxRequest& request : requests()) {
      const bool event = request.target == "/api/v1/lineage";
      calls.push_back(event ? std::string(event_in(request).at("eventType").as_string())
                            : request.method + " " + request.target);
    }
    return calls;
  }
  static boost::json::object event_in(const SandboxRequest& request) {
    return boost::json::parse(request.body).as_object();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<SandboxRequest> requests_;
  SandboxHttp http_;  // last: it uses the rest
};

/// A service that takes a request and does not answer.
class Silence {
 public:
  Silence()
      : server_([this](RawServer::Connection& connection) {
          const std::string request = connection.request();
          {
            const std::lock_guard lock(mutex_);
            requests_.push_back(request);
          }
          connection.hold();
        }) {}

  const std::string& address() const { return server_.endpoint(); }
  bool heard(std::string_view words) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(requests_, [&](const std::string& request) {
      return request.find(words) != std::string::npos;
    });
  }
  /// Asks until it is so. Throws after half a minute: a test that hangs tells nothing.
  void wait_for(std::string_view words) const {
    const auto end = steady_clock::now() + std::chrono::seconds(30);
    while (!heard(words)) {
      if (steady_clock::now() > end) throw std::runtime_error("never called");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  RawServer server_;  // last: it uses the rest
};

class Announcing : public testing::Test {
 protected:
  Announcing() {
    world.variables()["SLUICE_EMPTY_POLLS"] = "1";
    world.answer_empty_polls_at_once();
  }

  void announce_to(const std::string& address, const std::string& style = "healthchecks") {
    world.variables().insert_or_assign("SLUICE_PING_URL", address + kPingPath);
    world.variables().insert_or_assign("SLUICE_PING_STYLE", style);
    world.variables().insert_or_assign("SLUICE_PUSHGATEWAY", address);
    world.variables().insert_or_assign("OPENLINEAGE_URL", address);
    world.variables().insert_or_assign("OPENLINEAGE_API_KEY", kApiKey);
  }

  /// Whatever was said and written, who reads it cannot call those services.
  void expect_no_secret(const Outcome& outcome) {
    CanarySearch search;
    search.add("the path of the ping", kPingPath);
    search.add("the key of the catalogue", kApiKey);
    EXPECT_EQ(search.found_in(outcome.out + outcome.err), "");
    EXPECT_EQ(search.found_in(world.database().value("SELECT string_agg(r::text, ' ') FROM "
                                                     "sluice.run r")),
              "");
    EXPECT_EQ(search.found_in(text_of(world.server_log())), "");
  }

  void expect_a_warning_each(const Outcome& outcome) {
    for (const char* service : {"dead-man ping at ", "Pushgateway at ", "OpenLineage at "}) {
      EXPECT_NE(outcome.err.find(service), std::string::npos) << service << outcome.err;
    }
  }

  LoginWorld world{true, TestCluster::shared(), new_folder_in_memory()};
};

TEST_F(Announcing, each_service_hears_of_the_start_and_of_the_end_once) {
  const Services services;
  announce_to(services.address());
  world.variables()["OPENLINEAGE_NAMESPACE"] = "shop";
  world.variables()["TRACEPARENT"] = kTraceparent;
  world.send_good(20);
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.summary().at("trace_id"), kTraceId);
  EXPECT_EQ(outcome.err.find("not-announced"), std::string::npos) << outcome.err;

  const std::string run_id(outcome.summary().at("run_id").as_string());
  const std::string rid = "?rid=" + run_id;
  const std::string push = std::string("POST ") + kPushPath;
  auto calls = services.calls();
  ASSERT_EQ(calls.size(), 6U);
  std::sort(calls.begin(), calls.begin() + 3);
  std::sort(calls.begin() + 3, calls.end());
  const std::string ping = std::string("GET ") + kPingPath;
  EXPECT_EQ(calls, (std::vector<std::string>{ping + "/start" + rid, push, "START", "COMPLETE",
                                             ping + rid, push}));
  for (const SandboxRequest& request : services.requests()) {
    EXPECT_TRUE(request.header("user-agent").starts_with("sluice/")) << request.target;
    EXPECT_TRUE(request.header("traceparent").starts_with(std::string("00-") + kTraceId + "-"));
    EXPECT_NE(request.header("traceparent"), kTraceparent);
    EXPECT_EQ(request.header("authorization"),
              request.target == "/api/v1/lineage" ? std::string("Bearer ") + kApiKey : "");
    if (request.target != "/api/v1/lineage") continue;
    const auto event = Services::event_in(request);
    EXPECT_EQ(event.at("run").at("runId").as_string(), run_id);
    EXPECT_EQ(event.at("job").at("namespace"), "shop");
    EXPECT_EQ(event.at("inputs").at(0).at("namespace"), "arn:aws:sqs:us-east-1:000000000000");
    EXPECT_EQ(event.at("inputs").at(0).at("name"), "login-queue");
    EXPECT_EQ(event.at("outputs").at(0).at("namespace").as_string(),
              "postgres://127.0.0.1:" + world.variables()["PGPORT"]);
    EXPECT_EQ(event.at("outputs").at(0).at("name").as_string(),
              world.database().name() + ".public.user_logins");
    if (event.at("eventType") == "START") continue;
    EXPECT_EQ(event.at("outputs").at(0).at("outputFacets").at("outputStatistics").at("rowCount"),
              20);
  }
  expect_no_secret(outcome);
}

TEST_F(Announcing, every_line_of_the_log_names_the_trace) {
  world.variables()["TRACEPARENT"] = kTraceparent;
  const auto lines_with_trace = [&](const Outcome& outcome) {
    std::istringstream lines(outcome.err);
    std::size_t with = 0;
    std::size_t without = 0;
    for (std::string line; std::getline(lines, line);) {
      ++(boost::json::parse(line).as_object().contains("trace_id") ? with : without);
    }
    return std::pair(with, without);
  };
  const auto [with, without] = lines_with_trace(world.run());
  EXPECT_GT(with, 0U);
  EXPECT_EQ(without, 0U);
  world.variables()["TRACEPARENT"] = "00-of-no-trace";
  const Outcome other = world.run();
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_EQ(lines_with_trace(other).first, 0U);
  EXPECT_TRUE(other.summary().at("trace_id").is_null());
}

TEST_F(Announcing, a_failed_run_pings_no_plain_service_and_tells_healthchecks_its_exit_status) {
  const Services plain;
  world.variables()["PGPORT"] = "1";
  announce_to(plain.address(), "plain");
  EXPECT_EQ(world.run().status, 75);
  EXPECT_EQ(plain.calls(), std::vector<std::string>{std::string("POST ") + kPushPath});
  EXPECT_EQ(plain.requests().at(0).body.find("last_success"), std::string::npos);

  const Services healthchecks;
  announce_to(healthchecks.address());
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 75);
  const auto calls = healthchecks.calls();
  const std::string wanted = std::string("GET ") + kPingPath + "/75?rid=";
  EXPECT_TRUE(std::ranges::any_of(
      calls, [&](const std::string& call) { return call.starts_with(wanted); }));
  EXPECT_EQ(calls.size(), 2U);  // no START: nothing was read or written
}

TEST_F(Announcing,
       a_run_that_had_nothing_to_do_is_a_sign_of_life_and_one_that_found_a_lock_is_not) {
  const Services services;
  announce_to(services.address(), "plain");
  const std::string ping = std::string("GET ") + kPingPath;
  EXPECT_EQ(world.run({"--skip-exit-code", "99"}).status, 99);
  EXPECT_EQ(std::ranges::count(services.calls(), ping), 1);

  world.aws().faults().clear();
  const auto gate = gate_before(world, "ReceiveMessage");
  const auto holder = world.start_run();
  ASSERT_TRUE(gate->wait_for_call());
  EXPECT_EQ(world.run({"--skip-exit-code", "99"}).status, 99);
  EXPECT_EQ(std::ranges::count(services.calls(), ping), 1);
  gate->open();
  EXPECT_EQ(holder->wait().status, 0);
  EXPECT_EQ(std::ranges::count(services.calls(), ping), 2);
}

TEST_F(Announcing, a_run_that_fails_in_its_middle_is_announced_as_failed) {
  const Services services;
  announce_to(services.address());
  world.send_good(5);
  world.aws().faults().add(
      {.on = "ReceiveMessage", .fault = {.status = 403, .code = "AccessDeniedException"}});
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 77) << outcome.err;
  EXPECT_EQ(std::ranges::count(services.calls(), "START"), 1);
  EXPECT_EQ(std::ranges::count(services.calls(), "FAIL"), 1);
  for (const SandboxRequest& request : services.requests()) {
    if (request.target != "/api/v1/lineage") continue;
    const auto event = Services::event_in(request);
    if (event.at("eventType") != "FAIL") continue;
    EXPECT_EQ(event.at("run").at("facets").at("errorMessage").at("message"),
              outcome.summary().at("error").at("message"));
  }
  world.aws().take_problems();
}

TEST_F(Announcing, a_backfill_names_the_files_that_it_reads) {
  const Services services;
  announce_to(services.address());
  const std::string archive = world.folder() + "/archive.jsonl";
  world.leave_out("archive.jsonl");
  write_text(archive, login_body("one") + "\n" + login_body("two") + "\n");
  const Outcome outcome =
      world.call({"backfill", "--json", "--input", archive, "--sent-at", "2026-11-20T10:07:00Z"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto requests = services.requests();
  const auto end = std::ranges::find_if(requests, [](const SandboxRequest& request) {
    return request.body.find("\"COMPLETE\"") != std::string::npos;
  });
  ASSERT_NE(end, requests.end());
  const auto event = Services::event_in(*end);
  EXPECT_EQ(event.at("inputs").at(0).at("namespace"), "file");
  EXPECT_EQ(event.at("inputs").at(0).at("name").as_string(), archive);
  EXPECT_EQ(event.at("outputs").at(0).at("outputFacets").at("outputStatistics").at("rowCount"), 2);
}

TEST_F(Announcing, a_dry_run_tells_nobody) {
  const Services services;
  announce_to(services.address());
  EXPECT_EQ(world.run({"--dry-run"}).status, 0);
  EXPECT_EQ(services.calls(), std::vector<std::string>{});
}

TEST_F(Announcing, lineage_can_be_turned_off) {
  const Services services;
  announce_to(services.address());
  world.variables()["OPENLINEAGE_DISABLED"] = "True";
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(services.calls().size(), 4U);
  EXPECT_EQ(std::ranges::count(services.calls(), "START"), 0);
}

TEST_F(Announcing, services_that_fail_change_nothing_and_are_tried_twice) {
  const Services services(500);
  announce_to(services.address());
  world.send_good(5);
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.summary().at("status"), "ok");
  EXPECT_EQ(services.calls().size(), 12U);
  expect_a_warning_each(outcome);
  EXPECT_NE(outcome.err.find("it answered 500"), std::string::npos) << outcome.err;
  expect_no_secret(outcome);
  world.expect_everything_once();
}

TEST_F(Announcing, services_that_are_away_or_talk_nonsense_change_nothing) {
  const RawServer nonsense([](RawServer::Connection& connection) {
    connection.request();
    connection.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  });
  const RawServer moved([](RawServer::Connection& connection) {
    connection.request();
    connection.send("HTTP/1.1 302 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
  });
  const RawServer gone([](RawServer::Connection& connection) { connection.request(); });
  for (const std::string& address :
       {std::string("http://127.0.0.1:1"), nonsense.endpoint(), moved.endpoint(), gone.endpoint(),
        std::string("http://no-such-host.invalid"), "https" + nonsense.endpoint().substr(4)}) {
    announce_to(address);
    const Outcome outcome = world.run();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.summary().at("status"), "ok");
    expect_a_warning_each(outcome);
    expect_no_secret(outcome);
  }
}

TEST_F(Announcing, services_that_never_answer_do_not_keep_a_run_from_ending) {
  const Silence silence;
  announce_to(silence.address());
  world.send_good(5);
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(silence.heard("\"START\""));
  EXPECT_TRUE(silence.heard("\"COMPLETE\""));
  expect_a_warning_each(outcome);
  expect_no_secret(outcome);
  world.expect_everything_once();
}

/// In the announcement of its start, with a receive under way, and in the announcement of its end.
TEST_F(Announcing, services_that_never_answer_hold_up_no_stop) {
  for (const std::string_view moment : {"\"START\"", "ReceiveMessage", "\"COMPLETE\""}) {
    const Silence silence;
    announce_to(silence.address());
    std::shared_ptr<SandboxGate> gate;
    if (moment == "ReceiveMessage") {
      world.aws().faults().clear();
      gate = gate_before(world, "ReceiveMessage");
    }
    const auto run = world.start_run();
    if (gate) {
      ASSERT_TRUE(gate->wait_for_call());
    } else {
      silence.wait_for(moment);
    }
    const auto begin = steady_clock::now();
    run->signal(SIGTERM);
    if (gate) gate->open();
    const Outcome outcome = run->wait();
    EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5)) << moment;
    // A run that has told its end has ended as it told.
    const bool ended_before = moment == "\"COMPLETE\"";
    EXPECT_EQ(outcome.status, ended_before ? 0 : 143) << moment << outcome.err;
    EXPECT_EQ(outcome.summary().at("exit_code"), outcome.status) << moment;
    EXPECT_EQ(silence.heard("\"ABORT\""), !ended_before) << moment;
    world.aws().faults().clear();
    world.answer_empty_polls_at_once();
  }
}

TEST_F(Announcing, an_address_that_is_none_is_refused_and_not_repeated) {
  for (const char* option : {"SLUICE_PING_URL", "SLUICE_PUSHGATEWAY"}) {
    for (const char* address :
         {"secret-4f7d2c91-b8aa", "ftp://host/secret-4f7d2c91-b8aa",
          "https://user:secret-4f7d2c91-b8aa@host/", "https://host/secret-4f7d2c91-b8aa#x"}) {
      const Program::Variables before = world.variables();
      world.variables()[option] = address;
      for (const char* command : {"run", "check"}) {
        const Outcome outcome = world.call({command});
        EXPECT_EQ(outcome.status, 64) << command << address << outcome.err;
        EXPECT_EQ((outcome.out + outcome.err).find("4f7d2c91"), std::string::npos) << outcome.err;
      }
      world.variables() = before;
    }
  }
  world.variables()["OPENLINEAGE_URL"] = "https://user:secret-4f7d2c91-b8aa@host/";
  const Outcome outcome = world.run();
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.err.find("OPENLINEAGE_URL"), std::string::npos) << outcome.err;
  EXPECT_EQ((outcome.out + outcome.err).find("4f7d2c91"), std::string::npos) << outcome.err;
}

TEST_F(Announcing, show_config_says_that_an_address_is_set_and_not_what_it_is) {
  announce_to("http://127.0.0.1:1");
  const Outcome outcome = world.call({"check", "--json", "--show-config"});
  const auto config = outcome.summary().at("config").as_object();
  EXPECT_EQ(config.at("ping-url").at("value"), "***");
  EXPECT_EQ(config.at("ping-url").at("origin"), "SLUICE_PING_URL");
  EXPECT_EQ(config.at("pushgateway").at("value"), "***");
  expect_no_secret(outcome);
}

}  // namespace
}  // namespace sluice
