# SPDX-License-Identifier: Apache-2.0
"""The programs that do the work, and what they are made of, fetched and built once into a folder that is kept.

Versions are pinned by requirements.txt, go.sum and package-lock.json; package managers are used as this machine has
them set up. What cannot be had is told as a reason, not as a failure: the other programs run without it.
"""

import dataclasses
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CACHE = REPOSITORY / "build/foreign/peers"
FOREIGN = REPOSITORY / "tests/support/foreign.sh"
LONGEST_S = 1800  # Bento is minutes of compiling on two cores


@dataclasses.dataclass(frozen=True)
class Part:
    name: str  # of its folder here
    make: Callable[[Path, Path], str | None]  # from that folder into another; a reason if it cannot be had

    @property
    def folder(self) -> Path:
        return CACHE / self.name

    def get(self) -> str | None:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.make(HERE / self.name, self.folder)


def by_go(source: Path, folder: Path) -> str | None:
    """go itself sees whether anything is to be done."""
    return run(("go", "build", "-mod=readonly", "-trimpath", "-o", str(folder / "peer"), "."), source, folder)


def by_npm(source: Path, folder: Path) -> str | None:
    """Into the folder where the scripts go too: node looks for a module beside the one that names it."""
    made_from = folder / "made-from"
    lock = (source / "package-lock.json").read_bytes()
    shutil.copytree(source, folder, dirs_exist_ok=True)
    if made_from.exists() and made_from.read_bytes() == lock:
        return None
    reason = run(("npm", "ci", "--no-audit", "--no-fund"), folder, folder)
    if not reason:
        made_from.write_bytes(lock)
    return reason


def by_pip(source: Path, folder: Path) -> str | None:
    command = (FOREIGN, "get", folder.name, source / "requirements.txt", folder.parent)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return None if done.returncode == 0 else done.stdout.strip() or f"foreign.sh ended with {done.returncode}"


def run(command: tuple[str, ...], cwd: Path, folder: Path) -> str | None:
    """A reason why it failed; all that it said is in the folder's log."""
    if not shutil.which(command[0]):
        return f"no {command[0]} here"
    log = folder / "log"
    with log.open("w") as output:
        gently = ("nice", "-n", "19", *command)
        try:
            done = subprocess.run(gently, cwd=cwd, timeout=LONGEST_S, stdout=output, stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired:
            return f"{command[0]} took more than {LONGEST_S} s"
    lines = [line.strip() for line in log.read_text().splitlines() if line.strip()]
    return None if done.returncode == 0 else f"{(lines or ['no reason given'])[-1][:200]} (more in {log})"


PYTHON = Part("python", by_pip)
GO = Part("go", by_go)
BENTO = Part("bento", by_go)
NODE = Part("node", by_npm)


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str | Path, ...]
    messages: tuple[int, int]  # at 0 and at 10 ms a call; whole windows where it has windows
    part: Part | None = None
    keyed: bool = False  # its table needs the key by which it drops what comes twice


def programs_of(build: Path) -> tuple[Program, ...]:
    """The slower, the fewer messages."""
    go, bento, node, python = GO.folder / "peer", BENTO.folder / "peer", NODE.folder, PYTHON.folder / "bin/python"
    return (
        Program("sluice", (build / "sluice", "run", "--quiet"), (200_000, 100_000)),
        Program("Go, COPY, key", (go, "-key"), (100_000, 60_000), GO, keyed=True),
        Program("Go, COPY", (go,), (100_000, 60_000), GO),
        Program("Bento, tuned", (bento, "-c", HERE / "bento/tuned.yaml"), (40_000, 20_000), BENTO, keyed=True),
        Program("Bento, as it comes", (bento, "-c", HERE / "bento/minimal.yaml"), (2_000, 2_000), BENTO),
        Program("sqs-consumer, tuned", ("node", node / "tuned.mjs"), (20_000, 10_000), NODE, keyed=True),
        Program("sqs-consumer, as it comes", ("node", node / "documented.mjs"), (5_000, 2_000), NODE, keyed=True),
        Program("Python, COPY", (python, HERE / "python/copy_windows.py"), (20_000, 20_000), PYTHON),
        Program("Python, usual script", (python, HERE / "python/script.py"), (2_000, 300), PYTHON),
    )
