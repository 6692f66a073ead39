#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing that a kept test starts outlives it, whichever of its processes is told to end or killed.

    keeper_test.py              the tests
    keeper_test.py hang FILE    a kept test that never ends; FILE names its process, its keeper and its folder
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

import keeper

WITHIN_S = 60
MARK = "SLUICE_KEEPER_TEST"
DEAF = ["sh", "-c", "trap '' TERM HUP INT; while :; do sleep 1; done"]


def marked(mark: str) -> list[str]:
    """Whoever inherited it, wherever it is now."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(process.name)
        except OSError:  # it has just ended, or is not ours
            continue
    return found


def hang(file: Path) -> int:
    def work(folder: Path) -> int:
        subprocess.Popen(DEAF, cwd=folder, start_new_session=True)
        subprocess.run(["sh", "-c", '"$@" &', "sh", *DEAF], start_new_session=True)  # nobody's child
        (folder / "something").touch()
        ready = file.with_suffix(".new")
        ready.write_text(f"{os.getpid()} {os.getppid()} {folder}")
        ready.rename(file)
        signal.pause()
        return 0

    return keeper.keep(work)


class KeeperTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name, "ready")

    def until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not true():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def test_nothing_is_left_whichever_of_them_ends(self) -> None:
        for victim in ("the test", "its keeper", "the keeper's keeper"):
            for number in (signal.SIGKILL, signal.SIGTERM):
                with self.subTest(victim, signal=number.name):
                    self.file.unlink(missing_ok=True)
                    mark = secrets.token_hex(8)
                    outer = subprocess.Popen(
                        [sys.executable, __file__, "hang", self.file],
                        # What is left after all must not hold our own output open.
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                        env=os.environ | {MARK: mark},
                    )
                    self.until(self.file.exists, "it runs")
                    test, inner, folder = self.file.read_text().split()
                    self.assertGreaterEqual(len(marked(mark)), 5)
                    os.kill({"the test": int(test), "its keeper": int(inner)}.get(victim, outer.pid), number)
                    self.until(lambda: not marked(mark), "it is gone")
                    self.assertFalse(Path(folder).exists())
                    self.assertNotEqual(outer.wait(), 0)

    def test_the_status_is_that_of_the_work_whose_temporary_files_are_in_its_folder(self) -> None:
        script = (
            "import keeper, sys, tempfile\n"
            "sys.exit(keeper.keep(lambda folder: 7 if tempfile.gettempdir() == str(folder) else 1))"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parent, timeout=WITHIN_S)
        self.assertEqual(done.returncode, 7)


if __name__ == "__main__":
    if sys.argv[1:2] == ["hang"]:
        sys.exit(hang(Path(sys.argv[2])))
    unittest.main()
