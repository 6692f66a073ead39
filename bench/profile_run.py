#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the processor's time goes in a whole run, by part of the program and by function.

    profile_run.py BUILD [--messages N] [--delay MS]

BUILD holds the programs. Drains a queue of login messages, whose answers take MS each, into a private Postgres with
fsync on, while perf looks at the program's stacks. Writes BUILD/bench/profile.svg, a flame graph, and profile.txt, and
prints the beginning of that. A part is a folder of the sources: that of the innermost function of ours. perf's own work
counts too, so compare shares: what a message costs without it is told by whole.py.
"""

import argparse
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from flame_graph import Stack, flame_graph
from world import SOURCE, Postgres, Queue, Sluice, expect, expect_rows, text_of

SAMPLES_A_SECOND = 999  # not in step with what happens a thousand times a second
STACK_BYTES = 8192  # copied at each sample: without frame pointers the stack is unwound afterwards
PERF = ("perf", "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_A_SECOND), "--call-graph", f"dwarf,{STACK_BYTES}")
PARTS = {
    "job/http": "HTTP",
    "job/aws": "signatures",
    "job/queue": "JSON of SQS",
    "job/record": "decode and validate",
    "job/mask": "mask",
    "checkpoint": "stage",
    "job/warehouse": "load",
    "job/pipeline": "drain",
}
ELSEWHERE = "elsewhere"
COLOURS = ("#f4a582", "#d6604d", "#fddbc7", "#b8e186", "#7fbc41", "#92c5de", "#c2a5cf", "#fee08b")
FUNCTIONS_SHOWN = 60
LINES_PRINTED = 30
LINE_PRINTED = 118


class Sources:
    """Which part of ours a function of the program belongs to, by its mangled name."""

    def __init__(self, program: Path) -> None:
        symbols = [line.split() for line in text_of("nm", "--defined-only", program).splitlines()]
        functions = [(address, name) for address, kind, name in symbols if kind in "tTwW"]
        addresses = "\n".join(address for address, _ in functions)
        places = subprocess.run(
            ("addr2line", "-e", program), input=addresses, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.splitlines()
        self._parts = {}
        for (_, name), place in zip(functions, places, strict=True):
            folder = os.path.relpath(Path(place.rsplit(":", 1)[0]).parent, SOURCE)
            if folder in PARTS:
                self._parts[name] = PARTS[folder]

    def part_of(self, stack: Stack) -> str:
        return next((self._parts[name] for name in reversed(stack) if name in self._parts), ELSEWHERE)


def stacks_in(data: Path) -> Iterator[Stack]:
    """Outermost first, by mangled names. A frame without a name has that of its file."""
    fields = ("-F", "comm,ip,sym,dso", "--no-inline", "--no-demangle")
    command = ("perf", "script", "-i", data, *fields)
    frames: list[str] = []
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        if frame := re.match(r"\s+[0-9a-f]+ (.+) \((.*)\)$", line):
            function, file = frame.groups()
            if file != "[unknown]":  # what lies below the first function of a thread
                frames.append(function if function != "[unknown]" else f"[{Path(file).name}]")
        elif not line.strip() and frames:
            yield tuple(reversed(frames))
            frames = []


def demangled(names: Iterable[str]) -> dict[str, str]:
    names = list(names)
    plain = subprocess.run(("c++filt", "-p"), input="\n".join(names), check=True, stdout=subprocess.PIPE, text=True)
    return dict(zip(names, plain.stdout.splitlines(), strict=True))


def shares(counts: collections.Counter[str], total: int, us: float) -> Iterator[str]:
    for name, samples in counts.most_common(FUNCTIONS_SHOWN):
        yield f"{samples / total:7.1%} {samples / total * us:7.2f}  {name}"


def report(stacks: collections.Counter[Stack], sources: Sources, names: dict[str, str], us: float) -> Iterator[str]:
    total = stacks.total()
    parts, alone, within = collections.Counter(), collections.Counter(), collections.Counter()
    for stack, samples in stacks.items():
        parts[sources.part_of(stack)] += samples
        alone[names[stack[-1]]] += samples
        for name in {names[name] for name in stack}:
            within[name] += samples
    yield f"{us:.2f} µs of a processor a message, {total} samples"
    yield "\n  share      µs  part"
    yield from shares(parts, total, us)
    yield "\n  share      µs  function, without what it calls"
    yield from shares(alone, total, us)
    yield "\n  share      µs  function, with what it calls"
    yield from shares(within, total, us)


def measure(build: Path, folder: Path, messages: int, delay_ms: int) -> collections.Counter[Stack]:
    data = folder / "perf.data"
    postgres = Postgres(folder, fsync=True)
    try:
        sluice = Sluice(build, folder, postgres)
        postgres.copy_database()
        queue = Queue(build, folder, messages, delay_ms)
        try:
            running = sluice.start(queue, folder / "checkpoint.db", under=(*PERF, "-o", data, "--"))
            try:
                expect("exit status", 0, running.wait().status)
            finally:
                running.process.terminate()  # perf, which ends what it runs; without effect on what has ended
                running.process.wait()
            expect_rows(postgres, queue)
        finally:
            queue.stop()
    finally:
        postgres.stop()
    return collections.Counter(stacks_in(data))


def write(build: Path, messages: int, stacks: collections.Counter[Stack]) -> None:
    us = stacks.total() / SAMPLES_A_SECOND / messages * 1e6
    sources = Sources(build / "sluice")
    names = demangled({name for stack in stacks for name in stack})
    lines = list(report(stacks, sources, names, us))
    (build / "bench/profile.txt").write_text("\n".join(lines) + "\n")
    colours = dict(zip(PARTS.values(), COLOURS))
    svg = flame_graph(
        f"sluice, {messages} messages, {us:.1f} µs of a processor each",
        stacks,
        lambda name: colours.get(sources.part_of((name,)), "#dddddd"),
        lambda name: names.get(name, name),
    )
    (build / "bench/profile.svg").write_text(svg)
    print("\n".join(line[:LINE_PRINTED] for line in lines[:LINES_PRINTED]))
    print(f"\n{build}/bench/profile.txt, {build}/bench/profile.svg")


def refused() -> str:
    """Why perf may not look, or nothing."""
    tried = subprocess.run((*PERF, "-o", "/dev/null", "--", "true"), stderr=subprocess.PIPE, text=True)
    return tried.stderr.strip() if tried.returncode else ""


def main() -> None:
    parser = argparse.ArgumentParser(description="Where the processor's time goes in a whole run.")
    parser.add_argument("build", type=Path, help="folder of the programs")
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--delay", type=int, default=0, help="milliseconds before the queue answers a call")
    wishes = parser.parse_args()
    if shutil.which("perf") is None:
        sys.exit("profile_run.py: perf is missing\nhint: apt-get install linux-perf (Ubuntu: linux-tools-generic)")
    if why := refused():
        sys.exit(f"profile_run.py: perf may not look: {why}\nhint: sysctl kernel.perf_event_paranoid=2, or as root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="sluice-profile-") as folder:
        stacks = measure(wishes.build, Path(folder), wishes.messages, wishes.delay)
    write(wishes.build, wishes.messages, stacks)


if __name__ == "__main__":
    main()
