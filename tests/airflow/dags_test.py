#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The DAG files, read and run by the Airflow of this Python.

    dags_test.py AWS_SANDBOX_PROGRAM
"""

import json
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import unittest
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import headless
import keeper
from headless import DAGS, bag_of, dag_of, drained, run_dag, schedule_of, states
from world import LOGIN_QUEUE, Sandbox, World, url_of

HOUR = timedelta(hours=1)
PIPELINE = "user_logins/pipeline.json"
DEAD_LETTERS = "login-dead"


class FilesTest(unittest.TestCase):
    def assert_clean(self, bag: Any, *names: str) -> None:
        self.assertEqual(bag.import_errors, {})
        self.assertEqual(bag.captured_warnings, {})
        self.assertEqual(sorted(bag.dags), sorted(names))

    def test_both_are_imported_without_an_error_or_a_warning(self) -> None:
        self.assert_clean(bag_of(DAGS), "sluice_hourly", "sluice_backfill")

    def test_each_stands_alone_in_any_folder_and_is_named_after_its_file(self) -> None:
        for name, copy in (("sluice_hourly.py", "orders.py"), ("sluice_backfill.py", "again.py")):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                nested = Path(folder, "team", "queues")
                nested.mkdir(parents=True)
                shutil.copy(DAGS / name, nested / copy)
                self.assert_clean(bag_of(Path(folder)), Path(copy).stem)

    def test_what_is_run_and_how_often_and_that_its_last_line_is_kept(self) -> None:
        for name in ("sluice_hourly", "sluice_backfill"):
            with self.subTest(name):
                drain = dag_of(name).get_task("drain")
                self.assertEqual((drain.retries, drain.retry_delay), (3, timedelta(minutes=2)))
                self.assertIn(drain.retry_exponential_backoff, (True, 2.0))
                self.assertEqual(drain.max_retry_delay, timedelta(minutes=15))
                self.assertEqual(drain.partial_kwargs["skip_on_exit_code"], 99)
                command = drain.partial_kwargs["bash_command"]
                self.assertRegex(command, r'^exec sluice (run|"\$SLUICE_DAG_COMMAND") [a-z0-9 -]+$')  # what is run, is sluice
                self.assertIn(" --skip-exit-code 99 ", command)
                self.assertIs(drain.partial_kwargs["output_processor"], json.loads)
                self.assertFalse(drain.depends_on_past)
                self.assertEqual(drain.pool, "default_pool")

    def test_an_hourly_run_ends_before_the_next_begins(self) -> None:
        dag = dag_of("sluice_hourly")
        drain = dag.get_task("drain")
        self.assertEqual(schedule_of(dag), "7 * * * *")
        self.assertIn(" --max-runtime 50m ", drain.partial_kwargs["bash_command"])
        limits = [timedelta(minutes=50), drain.execution_timeout, dag.dagrun_timeout, HOUR]
        self.assertEqual(limits, sorted(set(limits)))
        self.assertFalse(dag.catchup)
        self.assertEqual(dag.max_active_runs, 1)
        [table] = drain.outlets
        self.assertEqual(table.uri, "postgres://localhost:5432/postgres/public/user_logins")

    def test_a_backfill_comes_when_it_is_called_and_may_take_its_time(self) -> None:
        dag = dag_of("sluice_backfill")
        longest = timedelta(minutes=dag.params.get_param("max_runtime").schema["maximum"])
        limits = [longest, dag.get_task("drain").execution_timeout, dag.dagrun_timeout]
        self.assertEqual(limits, sorted(set(limits)))
        self.assertFalse(dag.timetable.can_be_scheduled)
        self.assertEqual(dag.max_active_runs, 1)

    def test_the_settings_come_from_the_environment(self) -> None:
        asset = "postgres://db.example.com:5432/warehouse/public/orders"
        settings = {"PIPELINE": "/srv/orders.json", "WORKERS": "3", "POOL": "orders", "MINUTE": "31", "ASSET": asset}
        with mock.patch.dict(os.environ, {f"SLUICE_DAG_{name}": value for name, value in settings.items()}):
            dag = dag_of("sluice_hourly")
        drain = dag.get_task("drain")
        self.assertEqual((schedule_of(dag), drain.pool), ("31 * * * *", "orders"))
        self.assertEqual([outlet.uri for outlet in drain.outlets], [asset])
        environments = drain.expand_input.value["env"]
        self.assertEqual([each["SLUICE_WORKER"] for each in environments], ["1", "2", "3"])
        self.assertEqual({each["SLUICE_PIPELINE"] for each in environments}, {"/srv/orders.json"})

    def test_the_readme_names_the_settings_and_their_defaults(self) -> None:
        setting = re.compile(r'os\.environ\.get\("(SLUICE_DAG_\w+)", "([^"]*)"\)')
        files = {match for file in DAGS.glob("*.py") for match in setting.findall(file.read_text())}
        row = re.compile(r"^\| `(SLUICE_DAG_\w+)` \| `?([^`|]*?)`? \|", re.MULTILINE)
        self.assertEqual(sorted(row.findall((DAGS / "README.md").read_text())), sorted(files))


class WorldTest(unittest.TestCase):
    def world(self, messages: int = 300, *options: str, **wishes: Any) -> World:
        world = World(messages, *options, **wishes)
        self.addCleanup(world.close)
        self.change(world.variables)
        return world

    def change(self, variables: dict[str, str]) -> None:
        """For the rest of the test."""
        patch = mock.patch.dict(os.environ, variables)
        patch.start()
        self.addCleanup(patch.stop)

    def assert_xcom_is_what_the_database_has(self, world: World, run: Any) -> None:
        stored = world.rows(f"SELECT worker, summary FROM sluice.run WHERE run_group = '{run.run_id}'")
        summaries = {worker: json.loads(summary) for worker, summary in stored}
        instances = drained(run)
        self.assertEqual(len(summaries), len(instances))
        for instance in instances:
            xcom = instance.xcom_pull(task_ids="drain", map_indexes=instance.map_index)
            self.assertEqual(xcom, summaries[xcom["worker"]])
            self.assertEqual(xcom["run_group"], run.run_id)


class HourlyTest(WorldTest):
    def hourly(self) -> Any:
        return run_dag("sluice_hourly")

    def test_a_queue_is_drained_and_then_there_is_nothing_to_do(self) -> None:
        world = self.world()
        run = self.hourly()
        self.assertEqual((run.state, states(run)), ("success", ["success"]))
        world.assert_everything_once(self)
        self.assert_xcom_is_what_the_database_has(world, run)
        again = self.hourly()
        self.assertEqual((again.state, states(again)), ("success", ["skipped"]))
        world.assert_everything_once(self)

    def test_three_workers_share_a_queue(self) -> None:
        world = self.world(300)
        # One after the other here: so that each finds something.
        self.change({"SLUICE_DAG_WORKERS": "3", "SLUICE_MAX_MESSAGES": "100"})
        run = self.hourly()
        self.assertEqual((run.state, states(run)), ("success", ["success"] * 3))
        world.assert_everything_once(self)
        self.assert_xcom_is_what_the_database_has(world, run)
        self.assertEqual(world.value("SELECT count(DISTINCT worker) FROM sluice.run"), "3")

    def test_a_checkpoint_that_all_inherit_is_used_by_none(self) -> None:
        world = self.world(20)
        self.change({"SLUICE_CHECKPOINT": str(world.folder / "shared.db")})
        self.hourly()
        self.assertFalse((world.folder / "shared.db").exists())
        self.assertTrue((world.folder / "state" / "user_logins-1.db").exists())

    def test_what_must_be_mended_first_is_not_tried_again_and_green_when_it_is_mended(self) -> None:
        world = self.world(20)
        summary = world.folder / "summary.json"
        self.change({"SLUICE_SUMMARY_FILE": str(summary)})
        for status, wrong in (
            (64, {"SLUICE_RECEIVERS": "many"}),
            (77, {"AWS_SECRET_ACCESS_KEY": "another"}),
            (78, {"SLUICE_KEYRING": str(world.folder / "no keyring")}),
        ):
            with self.subTest(status), mock.patch.dict(os.environ, wrong):
                summary.unlink(missing_ok=True)
                run = self.hourly()
                [instance] = drained(run)
                self.assertEqual((run.state, instance.state, instance.try_number), ("failed", "failed", 1))
                if status != 64:  # then there was no run
                    self.assertEqual(json.loads(summary.read_text())["exit_code"], status)
        self.assertEqual((world.counts()["deliveries"], world.counts()["problems"]), ("0", "1"))
        self.assertEqual(states(self.hourly()), ["success"])
        world.assert_everything_once(self, problems=1)

    def test_too_many_rejections_are_not_tried_again_and_good_rows_are_there(self) -> None:
        world = self.world(300)
        self.change({"SLUICE_REJECT_THRESHOLD": "0"})
        run = self.hourly()
        [instance] = drained(run)
        self.assertEqual((run.state, instance.state, instance.try_number), ("failed", "failed", 1))
        self.assertEqual(world.value("SELECT exit_code FROM sluice.run"), "65")
        world.assert_everything_once(self)

    def test_a_database_that_is_away_for_a_while_is_tried_again(self) -> None:
        world = self.world(20)
        closed = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(closed.close)

        def come_back() -> None:
            """The next try, which gets its environment anew, finds the database where it was."""
            while True:
                try:
                    closed.accept()[0].close()
                except OSError:
                    return
                os.environ["PGPORT"] = world.variables["PGPORT"]

        self.change({"PGPORT": str(closed.getsockname()[1])})
        threading.Thread(target=come_back, daemon=True).start()
        run = self.hourly()
        [instance] = drained(run)
        self.assertEqual((run.state, instance.state, instance.try_number), ("success", "success", 2))
        world.assert_everything_once(self)


class BackfillTest(WorldTest):
    def backfill(self, **conf: Any) -> Any:
        return run_dag("sluice_backfill", {"pipeline": PIPELINE} | conf)

    def runs(self, world: World) -> str:
        return world.value("SELECT count(*) FROM sluice.run")

    def test_what_is_out_of_bounds_is_refused_before_anything_runs(self) -> None:
        from airflow.exceptions import ParamValidationError

        world = self.world(10)
        trap = world.folder / "trap"
        queue_url = url_of(DEAD_LETTERS)
        bad = [
            *({"max_messages": value} for value in (0, "5", 10_000_001, 1.5, None)),
            *({"max_runtime": value} for value in (0, 691, "50m")),
            *({"workers": value} for value in (0, 33, "2")),
            *({"source": value} for value in ("file", "", None)),
            *({"files": [value]} for value in ("../a.jsonl", "/etc/passwd", ".a", "a b", "a\n", f"$(touch {trap})", 7)),
            *({"sent_at": value} for value in ("now", "2026-03-01", f"2026-03-01T00:00:00Z;touch {trap}")),
            {"envelope": "sns"},
            *({"pipeline": value} for value in ("../x.json", "a/../x.json", "/etc/x.json", ".x.json", "x", "x.json\n")),
            *({"pipeline": value} for value in (f"$(touch {trap}).json", f"x;touch {trap};.json", "{{ 1 }}.json", "")),
            *({"queue_url": value} for value in ("login-dead", "file:///000000000000/x", f"{queue_url};touch {trap}")),
            *({"queue_url": value} for value in (f"{queue_url}\n", f"{queue_url}`touch {trap}`", "")),
        ]
        for conf in bad:
            with self.subTest(conf), self.assertRaises(ParamValidationError):
                self.backfill(**conf)
        self.assertFalse(trap.exists())
        self.assertEqual((self.runs(world), world.counts()["deliveries"]), ("0", "0"))

    def test_a_queue_url_goes_with_the_dead_letter_queue_and_only_with_it(self) -> None:
        world = self.world(10)
        for conf in ({"source": "dead-letter-queue"}, {"queue_url": url_of(LOGIN_QUEUE)}):
            with self.subTest(conf):
                run = self.backfill(**conf)
                self.assertEqual((run.state, states(run)), ("failed", ["upstream_failed"]))
        self.assertEqual((self.runs(world), world.counts()["deliveries"]), ("0", "0"))

    def test_no_more_than_max_messages_are_taken_by_all_workers_together(self) -> None:
        world = self.world(300)
        run = self.backfill(max_messages=32, workers=3, max_runtime=5)
        self.assertEqual((run.state, states(run)), ("success", ["success"] * 3))
        self.assertEqual((world.counts()["deliveries"], world.counts()["left"]), ("32", "268"))
        received = world.rows("SELECT worker, summary->'counts'->'received' FROM sluice.run ORDER BY worker")
        self.assertEqual(received, [["backfill-1", "11"], ["backfill-2", "11"], ["backfill-3", "10"]])
        self.assert_xcom_is_what_the_database_has(world, run)

    def test_no_more_workers_than_messages(self) -> None:
        world = self.world(300)
        self.assertEqual(states(self.backfill(max_messages=2, workers=32)), ["success"] * 2)
        self.assertEqual(world.counts()["deliveries"], "2")

    def test_a_dead_letter_queue_is_drained(self) -> None:
        world = self.world(300, queues=(DEAD_LETTERS, LOGIN_QUEUE))
        # As the pipeline of somebody who forwards rejections: not back to where they come from.
        self.change({"SLUICE_REJECTIONS": "dead-letter-queue"})
        run = self.backfill(source="dead-letter-queue", queue_url=url_of(DEAD_LETTERS))
        self.assertEqual((run.state, states(run)), ("success", ["success"]))
        world.assert_everything_once(self)
        self.assertRegex(world.value("SELECT worker FROM sluice.run"), "^redrive-[0-9a-f]{8}-1$")

    def test_files_go_with_their_source_and_only_with_it(self) -> None:
        world = self.world(10)
        for conf in ({"source": "files"}, {"files": ["a.jsonl"]}):
            with self.subTest(conf):
                run = self.backfill(**conf)
                self.assertEqual((run.state, states(run)), ("failed", ["upstream_failed"]))
        self.assertEqual((self.runs(world), world.counts()["deliveries"]), ("0", "0"))

    def test_archive_files_are_loaded_by_workers_side_by_side_and_once(self) -> None:
        world = self.world(10)
        archives = world.folder / "archives" / "2026"
        archives.mkdir(parents=True)
        lines = [
            json.dumps({"user_id": f"u{i}", "app_version": "1.2", "device_type": "ios", "ip": "1.2.3.4", "device_id": "d"})
            for i in range(30)
        ]
        for number in range(3):
            (archives / f"{number}.jsonl").write_text("\n".join(lines[number * 10 : number * 10 + 10]) + "\n")
        names = [f"2026/{number}.jsonl" for number in range(3)]
        with mock.patch.dict(os.environ, {"SLUICE_DAG_ARCHIVES": str(archives.parent)}):
            for rows in ("30", "30"):
                run = self.backfill(source="files", files=names, workers=2, sent_at="2026-03-01T12:00:00Z")
                self.assertEqual((run.state, states(run)), ("success", ["success"] * 2))
                self.assertEqual(world.value("SELECT count(*) FROM user_logins WHERE create_date = '2026-03-01'"), rows)
        self.assertEqual(world.counts()["deliveries"], "0")
        workers = world.value("SELECT string_agg(DISTINCT worker, ',' ORDER BY worker) FROM sluice.run")
        self.assertEqual(workers, "files-1,files-2")

    def test_no_shell_and_no_template_ever_reads_a_setting(self) -> None:
        world = self.world(10)
        trap = world.folder / "trap"
        for folder in (f"$(touch {trap})", f"`touch {trap}`", f"; touch {trap};", f"{{{{ open('{trap}', 'w') }}}}"):
            with self.subTest(folder), mock.patch.dict(os.environ, {"SLUICE_DAG_PIPELINES": folder}):
                run = self.backfill()
                self.assertEqual((run.state, states(run)), ("failed", ["failed"]))
        self.assertFalse(trap.exists())


def main(folder: Path) -> int:
    tempfile.tempdir = str(folder)
    os.environ["TMPDIR"] = str(folder)
    headless.prepare(folder)
    return 0 if unittest.main(exit=False, buffer=True).result.wasSuccessful() else 1


if __name__ == "__main__":
    Sandbox.program = sys.argv.pop(1)
    sys.exit(keeper.keep(main))
