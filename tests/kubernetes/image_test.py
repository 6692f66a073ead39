#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The image, run by $SLUICE_ENGINE as a cluster would run the pod of the CronJob. image.sh prepares all of it.

    image_test.py IMAGE AWS_SANDBOX_PROGRAM
"""

import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

from manifests import REPOSITORY, workloads
from pod import USER, Volumes, environment

sys.path.insert(0, str(REPOSITORY / "tests/airflow"))
from world import Sandbox, World

MESSAGES = 5_000
ENDS_WITHIN_S = 120
ENGINE = os.environ["SLUICE_ENGINE"].split()
# Nothing of the machine, as the manifests have it. Without cgroups, and below any machine's limits: not what is tested.
RUN = [
    *ENGINE, "run", "--rm", "--read-only", "--read-only-tmpfs=false", "--cap-drop=all",
    "--security-opt=no-new-privileges", "--cgroups=disabled", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024",
]  # fmt: skip


def output(*words: str) -> str:
    return subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, timeout=ENDS_WITHIN_S
    ).stdout


class ImageTest(unittest.TestCase):
    def test_it_runs_as_nobody_without_network_on_a_disk_that_cannot_be_written(self) -> None:
        self.assertRegex(output(*RUN, "--network=none", IMAGE, "--version"), r"^sluice \d+\.\d+\.\d+\n$")
        rights = output(*RUN, "--network=none", "--entrypoint=cat", IMAGE, "/proc/self/status")
        self.assertIn(f"\nUid:\t{USER}\t{USER}\t{USER}\t{USER}\n", rights)
        self.assertIn("\nCapBnd:\t0000000000000000\n", rights)
        with self.assertRaises(subprocess.CalledProcessError) as refused:
            output(*RUN, "--network=none", "--entrypoint=touch", IMAGE, "/var/lib/sluice/x")
        self.assertIn("Read-only file system", refused.exception.stdout)

    def test_it_says_of_itself_what_an_engine_needs_to_know(self) -> None:
        [about] = json.loads(output(*ENGINE, "image", "inspect", IMAGE))
        config = about["Config"]
        self.assertEqual(config["User"], f"{USER}:{USER}")
        self.assertEqual(config["Entrypoint"], ["/usr/local/bin/sluice"])
        self.assertEqual(config["StopSignal"], "SIGTERM")
        for name in ("Healthcheck", "ExposedPorts", "Cmd"):
            self.assertFalse(config.get(name), name)


class RunTest(unittest.TestCase):
    def setUp(self) -> None:
        self.world = World(MESSAGES)
        self.addCleanup(self.world.close)
        [self.workload] = [each for each in workloads() if each.document["kind"] == "CronJob"]
        self.volumes = Volumes(self.workload, self.world)
        self.addCleanup(self.volumes.remove)

    def start(self, *more: str) -> subprocess.Popen[str]:
        mounts = [f"--volume={self.volumes.path(name)}:{path}" for name, path in self.volumes.mounts.items()]
        variables = environment(self.workload, self.world, "sluice-29400000", None)
        settings = [f"--env={name}={value}" for name, value in variables.items()]
        container = [*RUN, "--network=host", "--name=pod", *mounts, *settings, IMAGE]
        command = [*container, *self.workload.container["args"], *more]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_it_drains_a_queue_as_the_pod_of_the_manifest(self) -> None:
        run = self.start()
        said, _ = run.communicate(timeout=ENDS_WITHIN_S)
        self.assertEqual(run.returncode, 0, said)
        self.world.assert_everything_once(self)

    def test_it_ends_by_sigterm_and_the_next_one_on_its_volume_goes_on(self) -> None:
        run = self.start("--wait-seconds=20", "--empty-polls=100")
        deadline = time.monotonic() + ENDS_WITHIN_S
        while self.world.counts()["deliveries"] == "0":
            self.assertIsNone(run.poll(), "it ended by itself")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        output(*ENGINE, "stop", "--time=30", "pod")
        said, _ = run.communicate(timeout=ENDS_WITHIN_S)
        self.assertEqual(run.returncode, 143, said)
        run = self.start()
        said, _ = run.communicate(timeout=ENDS_WITHIN_S)
        self.assertEqual(run.returncode, 0, said)
        self.world.assert_everything_once(self)


if __name__ == "__main__":
    Sandbox.program = str(Path(sys.argv.pop()).resolve())
    IMAGE = sys.argv.pop()
    unittest.main()
