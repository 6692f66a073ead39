#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Pushgateway takes what runs push, and keeps the last success of each worker when a later run fails.

pushgateway_test.py AWS_SANDBOX_PROGRAM
"""

import re
import shutil
import socket
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path

from surroundings import Sandbox, World, run

MESSAGES = 200
READY_WITHIN_S = 60
SKIPPED = 77

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Pushgateway:
    def __init__(self) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._process = subprocess.Popen(
            ["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
        )
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the Pushgateway did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def scrape(self) -> str:
        with self._opener.open(f"{self.address}/metrics", timeout=30) as answer:
            return str(answer.read().decode())

    def series(self) -> Series:
        """Ours, by name and labels."""
        found: Series = {}
        for name, labels, value in re.findall(r"^(sluice_\w+)\{(.*)\} (\S+)$", self.scrape(), re.MULTILINE):
            key = (name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels)))
            assert key not in found, key
            found[key] = float(value)
        return found

    def _is_ready(self) -> bool:
        try:
            with self._opener.open(f"{self.address}/-/ready", timeout=30):
                return True
        except OSError:
            return False


def value(series: Series, name: str, worker: str) -> float:
    [found] = [number for (each, labels), number in series.items() if each == name and ("worker", worker) in labels]
    return found


class PushgatewayTest(unittest.TestCase):
    def setUp(self) -> None:
        self.world = World(MESSAGES)
        self.addCleanup(self.world.close)
        self.gateway = Pushgateway()
        self.addCleanup(self.gateway.stop)
        self.world.variables["SLUICE_PUSHGATEWAY"] = self.gateway.address

    def test_it_keeps_the_last_success_of_each_worker(self) -> None:
        first = run(self.world, "--worker", "one")
        self.assertEqual(first["exit_code"], 0)
        before = self.gateway.series()
        success = value(before, "sluice_last_success_timestamp_seconds", "one")
        self.assertGreater(success, 0)
        self.assertEqual(value(before, "sluice_last_exit_code", "one"), 0)

        failed = run(self.world, "--worker", "one", PGPORT="1")
        self.assertEqual(failed["exit_code"], 75)
        other = run(self.world, "--worker", "two")
        self.assertEqual(other["exit_code"], 0)
        after = self.gateway.series()
        self.assertEqual(value(after, "sluice_last_exit_code", "one"), 75)
        self.assertEqual(value(after, "sluice_last_success_timestamp_seconds", "one"), success)
        self.assertEqual(value(after, "sluice_last_exit_code", "two"), 0)
        self.assertGreater(value(after, "sluice_last_success_timestamp_seconds", "two"), success)
        for (name, labels), _ in after.items():
            self.assertEqual(
                sorted(label for label in labels if label[0] in ("job", "pipeline")),
                [("job", "sluice"), ("pipeline", "user_logins")],
                name,
            )

    def test_what_it_then_serves_is_what_prometheus_reads(self) -> None:
        run(self.world, "--worker", "one")
        ours = "".join(line for line in self.gateway.scrape().splitlines(keepends=True) if "sluice_" in line)
        check = subprocess.run(["promtool", "check", "metrics"], input=ours, capture_output=True, text=True, timeout=60)
        self.assertEqual((check.returncode, check.stdout + check.stderr), (0, ""))


if __name__ == "__main__":
    for tool in ("prometheus-pushgateway", "promtool"):
        if not shutil.which(tool):
            print(f"skipped: no {tool} here; make setup installs it")
            sys.exit(SKIPPED)
    Sandbox.program = str(Path(sys.argv.pop()).resolve())
    unittest.main()
