// SPDX-License-Identifier: Apache-2.0
// A backfill that is killed goes on where it was: every line is one row, and little is read twice.
#include <filesystem>

#include <signal.h>

#include "tests/end_to_end/archive.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr int kLines = 2'000;
constexpr int kWindow = 100;

class KilledBackfill : public Archive {
 protected:
  KilledBackfill() {
    // A load beyond so many windows does not come to its end. The others take their time: how far
    // all is loaded is written down once a second.
    world.database().run(
        "CREATE TABLE public.gate AS SELECT 0 AS most, 0.0 AS each;"
        "CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$"
        "BEGIN"
        "  IF (SELECT count(*) FROM sluice.loaded_window) > (SELECT most FROM public.gate) THEN"
        "    PERFORM pg_sleep(300);"
        "  END IF;"
        "  PERFORM pg_sleep((SELECT each FROM public.gate));"
        "  RETURN NULL;"
        "END $$;"
        "CREATE TRIGGER hold AFTER INSERT ON sluice.loaded_window FOR EACH ROW EXECUTE FUNCTION "
        "public.hold()");
    // Two windows are out at most, so that most of the archive is still to be read.
    world.variables()["SLUICE_WINDOW_MESSAGES"] = std::to_string(kWindow);
    world.variables()["SLUICE_IN_FLIGHT_CAP"] = std::to_string(2 * kWindow);
  }

  void open_gate(int most) {
    world.database().run("UPDATE public.gate SET most = " + std::to_string(most));
  }
  void take_time() { world.database().run("UPDATE public.gate SET each = 0.25"); }
  /// A backfill that is killed in the load after so many windows.
  void kill_after(int windows, const std::vector<std::string>& arguments) {
    open_gate(windows);
    Program program(world.folder(), arguments, world.variables());
    world.database().wait_until(
        "(SELECT count(*) FROM sluice.loaded_window) = " + std::to_string(windows) +
        " AND EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
        "wait_event = 'PgSleep')");
    program.kill();
    EXPECT_EQ(program.wait().status, 137);
    // Its backend would sleep on.
    world.database().terminate("wait_event = 'PgSleep'");
  }
  Outcome finish(const std::vector<std::string>& arguments) {
    open_gate(kLines);
    Outcome outcome = world.call(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    expect_books_add_up(outcome.summary());
    return outcome;
  }
  void expect_each_line_once() {
    EXPECT_EQ(rows(), std::to_string(kLines));
    EXPECT_EQ(users(), std::to_string(kLines));
    EXPECT_EQ(world.database().value("SELECT sum(loaded) FROM sluice.loaded_window"),
              std::to_string(kLines));
    EXPECT_FALSE(fs::exists(cursor()));
  }
};

TEST_F(KilledBackfill, three_times_it_goes_on_and_every_line_is_one_row) {
  const std::string file = put("a.jsonl", lines_of(0, kLines));
  take_time();
  for (const int windows : {3, 8, 13}) kill_after(windows, words({file}));
  const Outcome outcome = finish(words({file}));
  // Fourteen windows are loaded or carried in.
  EXPECT_GT(outcome.count("carried_in"), 0);
  EXPECT_LT(outcome.count("received"), kLines - 3 * kWindow) << "it began at the start";
  expect_each_line_once();
}

TEST_F(KilledBackfill, without_its_checkpoint_it_loses_and_doubles_nothing) {
  const std::string file = put("a.jsonl", lines_of(0, kLines));
  kill_after(5, words({file}));
  for (const char* suffix : {"", "-journal"}) fs::remove(world.checkpoint() + suffix);
  finish(words({file}));
  expect_each_line_once();
}

TEST_F(KilledBackfill, without_its_cursor_it_reads_all_and_doubles_nothing) {
  const std::string file = put("a.jsonl", lines_of(0, kLines));
  kill_after(5, words({file}));
  fs::remove(cursor());
  const Outcome outcome = finish(words({file}));
  EXPECT_GT(outcome.count("received"), kLines - 4 * kWindow) << "all but what it carries in";
  expect_each_line_once();
}

TEST_F(KilledBackfill, of_an_archive_that_grew_since_takes_the_new_lines_too) {
  const std::string file = put("a.jsonl", lines_of(0, kLines / 2));
  kill_after(5, words({file}));
  put("a.jsonl", lines_of(0, kLines));
  finish(words({file}));
  expect_each_line_once();
}

TEST_F(KilledBackfill, of_equal_lines_keeps_count_of_them) {
  std::string lines;
  for (int i = 0; i < kLines; ++i) lines += login_body("the same") + "\n";
  const std::string file = put("a.jsonl", lines);
  for (const int windows : {4, 9}) kill_after(windows, words({file}));
  finish(words({file}));
  EXPECT_EQ(rows(), std::to_string(kLines));
}

TEST_F(KilledBackfill, of_another_archive_is_finished_by_the_next) {
  const std::string first = put("a.jsonl", lines_of(0, kLines / 2));
  kill_after(5, words({first}));
  const std::string second = put("b.jsonl", lines_of(kLines / 2, kLines / 2));
  const Outcome outcome = finish(words({second}));
  EXPECT_GT(outcome.count("carried_in"), 0);
  finish(words({first}));
  expect_each_line_once();
}

TEST_F(KilledBackfill, that_is_stopped_says_so_and_goes_on) {
  const std::string file = put("a.jsonl", lines_of(0, kLines));
  open_gate(8);
  take_time();
  Program program(world.folder(), words({file}), world.variables());
  world.database().wait_until("(SELECT count(*) FROM sluice.loaded_window) = 8");
  program.signal(SIGTERM);
  const Outcome stopped = program.wait();
  EXPECT_EQ(stopped.status, 143) << stopped.err;
  expect_books_add_up(stopped.summary());
  const Outcome outcome = finish(words({file}));
  EXPECT_LT(outcome.count("received"), kLines - 3 * kWindow);
  expect_each_line_once();
}

}  // namespace
}  // namespace sluice
