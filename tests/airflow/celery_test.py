#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hourly DAG under Airflow's own scheduler, on two Celery workers that stand for two hosts.

    celery_test.py AWS_SANDBOX_PROGRAM

Nothing here depends on how long things take: gates hold the runs where a test wants them.
"""

import os
import secrets
import shlex
import shutil
import sys
import unittest
from pathlib import Path
from typing import Any

import psycopg2

import keeper
from cluster import Cluster
from world import REPOSITORY, Sandbox, World, cluster_of_the_tests, outside

DAG = "sluice_hourly"
HOSTS = ("host1", "host2")
WORKERS = ("1", "2", "3", "4")  # of sluice: mapped tasks 0 to 3

# What Airflow asks about each task of each DAG file. The DAG's own settings stay, but for minutes of waiting.
POLICY = """
from datetime import timedelta
from pathlib import Path

def task_policy(task):
    task.retry_delay = timedelta(seconds=1)
    if Path({cut_off!r}).exists():
        task.execution_timeout = timedelta(seconds=15)
"""


def connect(variables: dict[str, str]) -> psycopg2.extensions.connection:
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    return psycopg2.connect(**{name: variables[variable] for name, variable in names.items()})


class Gate:
    """No run gets past its first statement on `table` until it opens."""

    def __init__(self, world: World, table: str) -> None:
        self._table = table
        self._session = connect(world.variables)
        self._cursor = self._session.cursor()
        self._cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")

    def waiting(self) -> int:
        self._cursor.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [self._table]
        )
        return self._cursor.fetchone()[0]

    def open(self) -> None:
        self._session.close()


class ClusterTest(unittest.TestCase):
    """One cluster for all tests; a world for each."""

    maxDiff = None
    folder: Path
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        postgres = cluster_of_the_tests()
        database = f"airflow_{secrets.token_hex(6)}"
        session = connect(postgres)
        session.autocommit = True
        session.cursor().execute(f"CREATE DATABASE {database}")
        cls.addClassCleanup(session.close)
        cls.addClassCleanup(session.cursor().execute, f"DROP DATABASE {database} WITH (FORCE)")

        dags, settings = cls.folder / "dags", cls.folder / "settings"
        dags.mkdir()
        settings.mkdir()
        shutil.copy(REPOSITORY / "airflow_dag" / f"{DAG}.py", dags)
        (settings / "airflow_local_settings.py").write_text(POLICY.format(cut_off=str(cls.folder / "cut-off")))
        variables = outside() | {
            "PYTHONPATH": str(settings),
            "BASH_ENV": str(cls.folder / "world.sh"),
            # A task's standard input is a socket: a bash that no other shell began would read ~/.bashrc instead.
            "SHLVL": "1",
            "SLUICE_DAG_PIPELINE": str(REPOSITORY / "pipelines/user_logins/pipeline.json"),
            "SLUICE_DAG_WORKERS": str(len(WORKERS)),
        }
        where = "{PGUSER}:{PGPASSWORD}@{PGHOST}:{PGPORT}".format_map(postgres)
        cls.cluster = Cluster(cls.folder, dags, variables, f"{where}/{database}", HOSTS)
        cls.cluster.until(lambda: cls.cluster.knows(DAG), f"{DAG} is parsed")

    def setUp(self) -> None:
        # Whoever is first must not have taken everything before the last one begins.
        self.world = World(1000, "--fault", "ReceiveMessage delay=100", "--visibility", "10")
        self.addCleanup(self.world.close)
        self.show(SLUICE_RECEIVERS="2")
        for host in HOSTS:
            self.cluster.start_worker(host)
        for host in HOSTS:
            self.cluster.await_worker(host)

    def show(self, *commands: str, **variables: str) -> None:
        """The world and more, to the tasks. Celery workers outlive it, what bash reads first ($BASH_ENV) does not."""
        shown = self.world.variables | variables
        exports = [f"export {name}={shlex.quote(value)}" for name, value in shown.items()]
        (self.folder / "world.sh").write_text("\n".join([*exports, *commands, ""]))

    def gate(self, table: str) -> Gate:
        gate = Gate(self.world, table)
        self.addCleanup(gate.open)
        return gate

    def until_all_wait(self, gate: Gate) -> None:
        self.cluster.until(lambda: gate.waiting() == len(WORKERS), "every worker is at the gate")

    def trigger(self) -> str:
        return self.cluster.call("POST", f"dags/{DAG}/dagRuns", {"logical_date": None})["dag_run_id"]

    def trigger_up_to_the_drain(self) -> tuple[str, Gate]:
        """Every worker runs, and none receives before the gate opens."""
        begin = self.gate("sluice.run")
        run = self.trigger()
        self.until_all_wait(begin)
        return run, begin

    def trigger_up_to_the_load(self) -> tuple[str, Gate]:
        """Every worker has a sealed window, and none is loaded before the gate opens."""
        load = self.gate("sluice.loaded_window")
        run, begin = self.trigger_up_to_the_drain()
        begin.open()
        self.until_all_wait(load)
        return run, load

    def end_of(self, run: str) -> str:
        """Its state, when it is over."""

        def state() -> str | None:
            found = self.cluster.call("GET", f"dags/{DAG}/dagRuns/{run}")["state"]
            return found if found in ("success", "failed") else None

        return self.cluster.until(state, f"{run} ends")

    def tasks_of(self, run: str) -> dict[str, tuple[str, int]]:
        """Of each worker: state and number of the last try."""
        found = self.cluster.call("GET", f"dags/{DAG}/dagRuns/{run}/taskInstances")["task_instances"]
        return {str(task["map_index"] + 1): (task["state"], task["try_number"]) for task in found}

    def tries_on(self, host: str, run: str) -> dict[str, int]:
        """Of each worker that was there: the last try."""
        return {str(index + 1): number for index, number in sorted(self.cluster.tries(host, run))}

    def summaries_of(self, run: str, worker: str) -> list[dict[str, Any] | None]:
        """One for each try that began; None for one that has not ended, or was killed."""
        with connect(self.world.variables) as session, session.cursor() as cursor:
            cursor.execute(
                "SELECT summary FROM sluice.run WHERE run_group = %s AND worker = %s ORDER BY started_at", [run, worker]
            )
            return [summary for (summary,) in cursor.fetchall()]

    def first_summary_of(self, run: str, worker: str) -> dict[str, Any]:
        return self.cluster.until(lambda: self.summaries_of(run, worker)[0], f"a summary of worker {worker}")

    def xcom_of(self, run: str, worker: str) -> Any:
        entry = f"taskInstances/drain/xcomEntries/return_value?map_index={int(worker) - 1}"
        return self.cluster.call("GET", f"dags/{DAG}/dagRuns/{run}/{entry}")["value"]

    def assert_ended_by_itself(self, summary: dict[str, Any]) -> None:
        self.assertEqual((summary["status"], summary["exit_code"]), ("interrupted", 143))
        self.assertGreater(summary["counts"]["carried_out"], 0)


class CeleryTest(ClusterTest):
    def test_a_mapped_run_is_spread_over_both_hosts_and_drains_the_queue_once(self) -> None:
        run, begin = self.trigger_up_to_the_drain()
        begin.open()

        self.assertEqual(self.end_of(run), "success")
        self.assertEqual(self.tasks_of(run), dict.fromkeys(WORKERS, ("success", 1)))
        self.assertEqual([len(self.tries_on(host, run)) for host in HOSTS], [2, 2])
        summaries = {worker: self.summaries_of(run, worker) for worker in WORKERS}
        self.assertEqual({worker: [self.xcom_of(run, worker)] for worker in WORKERS}, summaries)
        for [summary] in summaries.values():
            self.assertGreater(summary["counts"]["loaded"], 0)
        self.world.assert_everything_once(self)

    def test_the_windows_of_a_killed_host_are_loaded_by_the_other(self) -> None:
        run, load = self.trigger_up_to_the_load()
        killed = self.tries_on("host1", run)
        self.assertEqual(list(killed.values()), [1, 1])
        self.cluster.kill_worker("host1")
        load.open()

        self.assertEqual(self.end_of(run), "success")
        self.assertEqual(self.tries_on("host2", run), dict.fromkeys(WORKERS, 1) | dict.fromkeys(killed, 2))
        for worker in killed:
            first, second = self.summaries_of(run, worker)
            self.assertIsNone(first)
            self.assertGreater(second["counts"]["carried_in"], 0)
        self.world.assert_everything_once(self)

    def test_what_a_host_had_that_died_with_its_disk_comes_back_in_the_queue(self) -> None:
        # Sooner than Airflow notices the death: so that the next try finds it there.
        disks = "STATE_DIRECTORY=$STATE_DIRECTORY-${AIRFLOW_HOME##*/}"
        self.show(disks, SLUICE_RECEIVERS="2", SLUICE_VISIBILITY_TIMEOUT="10s")
        run, load = self.trigger_up_to_the_load()
        killed = self.tries_on("host1", run)
        self.cluster.kill_worker("host1")
        load.open()

        self.assertEqual(self.end_of(run), "success")
        self.assertEqual(self.tries_on("host2", run), dict.fromkeys(WORKERS, 1) | dict.fromkeys(killed, 2))
        seconds = [self.summaries_of(run, worker)[1]["counts"] for worker in killed]
        self.assertEqual([counts["carried_in"] for counts in seconds], [0, 0])
        self.world.assert_everything_once(self)

    def test_a_task_marked_failed_ends_by_itself_and_the_next_run_loads_its_window(self) -> None:
        run, load = self.trigger_up_to_the_load()
        task = f"dags/{DAG}/dagRuns/{run}/taskInstances/drain/0"
        self.cluster.call("PATCH", task, {"new_state": "failed"})
        first = self.first_summary_of(run, "1")
        load.open()

        self.assertEqual(self.end_of(run), "failed")
        self.assertEqual(self.tasks_of(run), dict.fromkeys(WORKERS, ("success", 1)) | {"1": ("failed", 1)})
        self.assert_ended_by_itself(first)
        again = self.trigger()
        self.assertEqual(self.end_of(again), "success")
        [second] = self.summaries_of(again, "1")
        self.assertEqual(second["counts"]["carried_in"], first["counts"]["carried_out"])
        self.world.assert_everything_once(self)

    def test_a_task_cleared_while_it_runs_ends_by_itself_and_its_next_try_loads_its_window(self) -> None:
        run, load = self.trigger_up_to_the_load()
        wish = {"dag_run_id": run, "task_ids": [["drain", 0]], "only_failed": False, "dry_run": False}
        self.cluster.call("POST", f"dags/{DAG}/clearTaskInstances", wish)
        first = self.first_summary_of(run, "1")
        self.until_all_wait(load)
        load.open()

        self.assertEqual(self.end_of(run), "success")
        self.assertEqual(self.tasks_of(run), dict.fromkeys(WORKERS, ("success", 1)) | {"1": ("success", 2)})
        self.assert_ended_by_itself(first)
        _, second = self.summaries_of(run, "1")
        self.assertEqual(second["counts"]["carried_in"], first["counts"]["carried_out"])
        self.world.assert_everything_once(self)

    def test_a_run_that_hangs_is_ended_by_its_time_limit_and_the_next_try_loads_its_window(self) -> None:
        cut_off = self.folder / "cut-off"
        cut_off.touch()
        self.addCleanup(cut_off.unlink, missing_ok=True)
        run, load = self.trigger_up_to_the_load()
        firsts = {worker: self.first_summary_of(run, worker) for worker in WORKERS}
        cut_off.unlink()
        load.open()

        self.assertEqual(self.end_of(run), "success")
        for worker, first in firsts.items():
            self.assert_ended_by_itself(first)
            tries = [summary for summary in self.summaries_of(run, worker) if summary]
            self.assertEqual(tries[1]["counts"]["carried_in"], first["counts"]["carried_out"])
        self.world.assert_everything_once(self)

    def test_a_celery_worker_that_is_told_to_end_lets_its_tasks_finish(self) -> None:
        run, load = self.trigger_up_to_the_load()
        host1 = self.cluster.end_worker("host1")
        load.open()

        self.assertEqual(self.end_of(run), "success")
        self.assertEqual(self.tasks_of(run), dict.fromkeys(WORKERS, ("success", 1)))
        self.assertEqual(host1.wait(), 0)
        self.world.assert_everything_once(self)


def main(folder: Path) -> int:
    if not shutil.which("redis-server"):
        print("skipped: no redis-server here; make setup installs it")
        return 1 if os.environ.get("CI") == "true" else 77
    ClusterTest.folder = folder
    return 0 if unittest.main(exit=False, failfast=True, verbosity=2).result.wasSuccessful() else 1


if __name__ == "__main__":
    Sandbox.program = sys.argv.pop(1)
    sys.exit(keeper.keep(main))
