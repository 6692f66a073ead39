#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program, started as the pods of the manifests start it, does what it is for.

    pods_test.py AWS_SANDBOX_PROGRAM
"""

import json
import socket
import subprocess
import sys
import unittest
from pathlib import Path

from manifests import REPOSITORY, Workload, workloads
from pod import MEMORY, Pod

sys.path.insert(0, str(REPOSITORY / "tests/airflow"))
from world import Sandbox, World

MESSAGES = 20_000


class PodsTest(unittest.TestCase):
    def setUp(self) -> None:
        kind = subprocess.run(["stat", "-f", "-c", "%T", MEMORY], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertEqual(kind.strip(), "tmpfs", f"{MEMORY}: secrets lie in memory")
        self.world = World(MESSAGES)
        self.addCleanup(self.world.close)

    def workload(self, kind: str) -> Workload:
        [found] = [each for each in workloads() if each.document["kind"] == kind]
        return found

    def start(self, workload: Workload, job_name: str = "", index: int | None = None, **connection: str) -> Pod:
        pod = Pod(workload, self.world, job_name, index, **connection)
        self.addCleanup(pod.remove)
        return pod

    def test_pods_of_every_kind_drain_one_queue_together_and_everything_is_there_once(self) -> None:
        indexed = self.workload("Job")
        pods = [
            self.start(indexed, "sluice-drain", 0),
            self.start(indexed, "sluice-drain", 1),
            self.start(self.workload("CronJob"), "sluice-29400000"),
            self.start(self.workload("ScaledJob"), "sluice-x7k2p"),
        ]
        for status, said in [pod.end() for pod in pods]:
            self.assertEqual(status, 0, said)
            self.assertEqual(json.loads(said.splitlines()[-1])["stop_reason"], "drained")
        self.world.assert_everything_once(self)
        self.assertEqual(
            self.world.rows("SELECT run_group, worker FROM sluice.run ORDER BY 1, 2"),
            [
                ["sluice-29400000", "cronjob"],
                ["sluice-drain", "0"],
                ["sluice-drain", "1"],
                ["sluice-x7k2p", socket.gethostname()],
            ],
        )

    def test_a_pod_with_a_wrong_key_fails_its_job_for_good_and_takes_nothing(self) -> None:
        self.world.variables["AWS_SECRET_ACCESS_KEY"] = "wrong"
        for workload in workloads():
            with self.subTest(workload.file):
                status, said = self.start(workload).end()
                self.assertEqual((status, workload.action_on(status)), (77, "FailJob"), said)
        self.assertEqual(self.world.counts()["deliveries"], "0")

    def test_a_pod_without_database_is_tried_again_and_takes_nothing(self) -> None:
        for workload in workloads():
            with self.subTest(workload.file):
                status, said = self.start(workload, port="1").end()
                self.assertEqual((status, workload.action_on(status)), (75, "Count"), said)
        self.assertEqual(self.world.counts()["deliveries"], "0")


if __name__ == "__main__":
    Sandbox.program = str(Path(sys.argv.pop()).resolve())
    unittest.main()
