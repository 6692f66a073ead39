# SPDX-License-Identifier: Apache-2.0
"""Files of metrics as real runs leave them: good, failed, killed."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from servers import WITHIN_S

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "airflow"))
from world import World

SAMPLE = re.compile(r'^(\w+)\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\} (\S+)$')


class Runs:
    """Workers of one pipeline whose files lie in one folder."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folder = world.folder / "textfiles"
        self.folder.mkdir()
        world.variables["SLUICE_PIPELINE"] = world.variables["SLUICE_DAG_PIPELINE"]

    def file(self, worker: str) -> Path:
        return self.folder / f"sluice-{worker}.prom"

    def success_file(self, worker: str) -> Path:
        return self.folder / f"sluice-{worker}-success.prom"

    def start(self, worker: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sluice", "run", "--json", "--worker", worker, "--metrics-file", self.file(worker)],
            env=self.world.variables | variables,
            cwd=self.world.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, worker: str, **variables: str) -> int:
        run = self.start(worker, **variables)
        run.communicate(timeout=2 * WITHIN_S)
        return run.returncode

    def kill_one(self, worker: str) -> None:
        """While it waits for messages."""
        before = self.file(worker).read_text() if self.file(worker).exists() else ""
        run = self.start(worker, SLUICE_WAIT_SECONDS="20", SLUICE_EMPTY_POLLS="100")
        deadline = time.monotonic() + WITHIN_S
        while not self.file(worker).exists() or self.file(worker).read_text() == before:
            if run.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it did not begin: {run.communicate()}")
            time.sleep(0.02)
        run.kill()
        run.communicate()


def samples(text: str) -> list[tuple[str, dict[str, str], float]]:
    found = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = SAMPLE.match(line)
            if not match:
                raise ValueError(line)
            labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2]))
            found.append((match[1], labels, float(match[3])))
    return found


def value(text: str, name: str, **wanted: str) -> float:
    [found] = [
        number
        for each, labels, number in samples(text)
        if each == name and all(labels.get(label) == want for label, want in wanted.items())
    ]
    return found
