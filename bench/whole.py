#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a message costs from the queue to Postgres, beside what cannot be gone below, in one run.

    whole.py BUILD [--messages N] [--rounds N] [--delays 0,10] [--receivers N] [--quick]

BUILD holds the programs. At each delay of the queue's answers, in turn: the bare loop (bare_loop.cc), which receives and
deletes and does nothing else, and sluice, into a private Postgres with fsync on; then `psql \\copy` of the same rows.
Prints tables, medians of the rounds; writes BUILD/bench/whole.json and whole.svg. Fails when a message was lost, doubled
or left in the queue. README.md beside this file says what the figures mean.
"""

import argparse
import collections
import dataclasses
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import profile_run
from report import Bars, table, write_bars, write_json
from world import QUEUE, Ended, Postgres, Queue, Running, Sluice, expect, expect_rows

WINDOW = 10_000
WAIT_S = 2  # a long poll; a last window that is not full waits for an empty one, two of them mean drained
EMPTY_POLLS = 2
PROFILED = 105_000  # messages at most, in a run under perf

# List prices of 2026-11, us-east-1: standard queues beyond the free tier, and a Linux vCPU of Fargate.
DOLLARS_PER_REQUEST = 0.40 / 1e6
DOLLARS_PER_CPU_S = 0.04048 / 3600


@dataclasses.dataclass
class Figures:
    """Of one run of one program. Missing what it does not have."""

    messages_per_s: float
    cpu_us: float  # of the program, a message
    calls_per_1000: float
    connections: int
    sandbox_us: float
    peak_mib: float
    first_receive_ms: float  # since the program was started
    exit_ms: float  # since its last call was answered
    postgres_us: float = 0
    wal_bytes: float = 0  # a message
    checkpoint_bytes: float = 0  # a message, as the file system was given them

    @property
    def dollars(self) -> float:
        """A million messages: calls and the program's processor. Postgres is there anyway."""
        return self.calls_per_1000 * 1e3 * DOLLARS_PER_REQUEST + self.cpu_us * DOLLARS_PER_CPU_S


def figures_of(queue: Queue, ended: Ended, sandbox_s: float, waits_s: float) -> Figures:
    """`waits_s`: of the time between first receive and last delete, what the last window waited for an empty poll."""
    counts = queue.counts(QUEUE)
    expect("messages left in the queue", 0, int(counts["left"]))
    expect("exit status", 0, ended.status)
    first_s = int(counts["first.ReceiveMessage"]) / 1e3
    last_s = max(int(value) for name, value in counts.items() if name.startswith("last.")) / 1e3
    work_s = int(counts["last.DeleteMessageBatch"]) / 1e3 - first_s - waits_s
    calls = sum(int(value) for name, value in counts.items() if name.startswith("calls."))
    per_message = 1e6 / queue.messages
    return Figures(
        messages_per_s=queue.messages / work_s,
        cpu_us=ended.cpu_s * per_message,
        calls_per_1000=calls / queue.messages * 1e3,
        connections=int(counts["connections"]) - 1,  # ours
        sandbox_us=sandbox_s * per_message,
        peak_mib=ended.peak_bytes / 2**20,
        first_receive_ms=(first_s - ended.start) * 1e3,
        exit_ms=(ended.end - last_s) * 1e3,
    )


class Bench:
    def __init__(self, build: Path, folder: Path, receivers: int) -> None:
        self.postgres = Postgres(folder, fsync=True)
        self._build, self._folder, self._receivers = build, folder, receivers
        self._sluice = Sluice(build, folder, self.postgres)

    def bare_loop(self, messages: int, delay_ms: int) -> Figures:
        """With as many connections as sluice has for receives and deletes together."""
        queue = Queue(self._build, self._folder, messages, delay_ms)
        try:
            before = queue.cpu_s()
            command = (self._build / "bench/bench_bare_loop", queue.endpoint, str(2 * self._receivers))
            loop = Running(command, os.environ, stdout=subprocess.DEVNULL)
            return figures_of(queue, loop.wait(), queue.cpu_s() - before, waits_s=0)
        finally:
            queue.stop()

    def sluice(self, messages: int, delay_ms: int) -> Figures:
        """Into a new copy of the database, which the caller drops."""
        self.postgres.copy_database()
        queue = Queue(self._build, self._folder, messages, delay_ms)
        try:
            figures = self.drain(queue)
            expect_rows(self.postgres, queue)
            return figures
        finally:
            queue.stop()

    def drain(self, queue: Queue) -> Figures:
        """By sluice, into the copy that there is."""
        limits = ("--receivers", self._receivers, "--wait-seconds", WAIT_S, "--empty-polls", EMPTY_POLLS)
        before = (queue.cpu_s(), self.postgres.cpu_s(), self.postgres.wal_bytes())
        program = self._sluice.start(queue, self._folder / "checkpoint.db", *map(str, limits))
        try:
            ended = program.wait()
        finally:
            program.kill()
            for left in self._folder.glob("checkpoint.db*"):
                left.unlink()
        after = (queue.cpu_s(), self.postgres.cpu_s(), self.postgres.wal_bytes())
        figures = figures_of(queue, ended, after[0] - before[0], waits_s=WAIT_S)
        figures.postgres_us = (after[1] - before[1]) / queue.messages * 1e6
        figures.wal_bytes = (after[2] - before[2]) / queue.messages
        figures.checkpoint_bytes = ended.disk_bytes / queue.messages
        return figures

    def psql_copy(self) -> Mapping[str, float]:
        """The rows of the last run again, by the plainest tool, into a table without key or ledger."""
        rows = self._folder / "rows"
        postgres, settings = self.postgres, ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "run", "-c")
        environment = {**os.environ, **postgres.environment}
        out = (f"\\copy public.user_logins to '{rows}' (format binary)",)
        subprocess.run(("psql", *settings, *out), env=environment, check=True)
        postgres.sql("CREATE TABLE plain (LIKE public.user_logins); CHECKPOINT", "run")
        before = (postgres.cpu_s(), postgres.wal_bytes())
        copy = Running(("psql", *settings, f"\\copy plain from '{rows}' (format binary)"), environment)
        ended = copy.wait()
        expect("exit status of psql", 0, ended.status)
        after = (postgres.cpu_s(), postgres.wal_bytes())
        rows.unlink()
        copied = postgres.number("SELECT count(*) FROM plain")
        return {
            "rows_per_s": copied / (ended.end - ended.start),
            "cpu_us": ended.cpu_s / copied * 1e6,
            "postgres_us": (after[0] - before[0]) / copied * 1e6,
            "wal_bytes": (after[1] - before[1]) / copied,
        }


def stages_of(build: Path, folder: Path, messages: int, delays: Sequence[int]) -> dict[int, dict[str, float]]:
    """What share of the processor's time each part of sluice takes, at each delay; of a run more, under perf."""
    sources, shares = profile_run.Sources(build / "sluice"), {}
    for delay_ms in delays:
        own = folder / f"profile-{delay_ms}"
        own.mkdir()
        stacks = profile_run.measure(build, own, messages, delay_ms)
        parts: collections.Counter[str] = collections.Counter()
        for stack, samples in stacks.items():
            parts[sources.part_of(stack)] += samples
        shares[delay_ms] = {part: samples / parts.total() for part, samples in parts.most_common()}
    return shares


def sha256_ns() -> float:
    """Of one digest over 64 bytes, on one processor: a mask is two and the work around them."""
    command = ("openssl", "speed", "-mr", "-seconds", "1", "-bytes", "64", "-evp", "sha256")
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    bytes_per_s = float(next(line for line in told.splitlines() if line.startswith("+F:")).rsplit(":", 1)[1])
    return 64 / bytes_per_s * 1e9


def median_of(rounds: Sequence[Figures]) -> Figures:
    names = (field.name for field in dataclasses.fields(Figures))
    return Figures(**{name: statistics.median(getattr(figures, name) for figures in rounds) for name in names})


ROWS = (
    ("messages/s", "messages_per_s", ",.0f"),
    ("processor of the program, µs a message", "cpu_us", ".1f"),
    ("processor of Postgres, µs a message", "postgres_us", ".1f"),
    ("processor of the sandbox, µs a message", "sandbox_us", ".1f"),
    ("SQS calls for 1,000 messages", "calls_per_1000", ".1f"),
    ("connections to the queue", "connections", ".0f"),
    ("bytes into the checkpoint's files, a message", "checkpoint_bytes", ".0f"),
    ("bytes of WAL, a message", "wal_bytes", ".0f"),
    ("peak resident memory, MiB", "peak_mib", ".1f"),
    ("start to first receive, ms", "first_receive_ms", ".0f"),
    ("last answer of the queue to exit, ms", "exit_ms", ".0f"),
    ("dollars for a million messages", "dollars", ".4f"),
)


def show(medians: Mapping[int, Mapping[str, Figures]]) -> None:
    columns = [(delay, who) for delay, both in medians.items() for who in both]
    headings = ("", *(f"{who}, {delay} ms" for delay, who in columns))
    rows = [(what, *(format(getattr(medians[delay][who], name), form) for delay, who in columns))
            for what, name, form in ROWS]  # fmt: skip
    print("\n" + table(headings, rows) + "\n")
    ratios = []
    for delay, both in medians.items():
        bare, sluice = both["bare loop"], both["sluice"]
        ratios.append((f"{delay} ms", f"{sluice.cpu_us / bare.cpu_us:.2f}",
                       f"{sluice.messages_per_s / bare.messages_per_s:.0%}"))  # fmt: skip
    print(table(("sluice to the bare loop", "processor time", "messages/s"), ratios) + "\n")


def by_stage(medians: Mapping[int, Mapping[str, Figures]], shares: Mapping[int, Mapping[str, float]]) -> Bars:
    """A bar for each program and delay."""
    bars = []
    for delay, both in medians.items():
        alone = [("receive and delete, nothing else", both["bare loop"].cpu_us)]
        bars.append((f"bare loop, {delay} ms to the queue", alone))
        cpu_us = both["sluice"].cpu_us
        parts = [(part, share * cpu_us) for part, share in shares.get(delay, {"in all": 1}).items()]
        bars.append((f"sluice, {delay} ms to the queue", parts))
    return bars


def show_stages(bars: Bars) -> None:
    stages = list(dict.fromkeys(stage for _, parts in bars[1::2] for stage, _ in parts))
    rows = [(stage, *(f"{dict(parts).get(stage, 0):.2f}" for _, parts in bars[1::2])) for stage in stages]
    print(table(("processor of the program, µs a message", *(label for label, _ in bars[1::2])), rows) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="What a message costs from the queue to Postgres.")
    parser.add_argument("build", type=Path, help="folder of the programs")
    parser.add_argument("--messages", type=int, default=305_000, help="no multiple of 10,000, for a last window that waits")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is shown")
    parser.add_argument("--delays", default="0,10", help="ms to the queue, apart by commas")
    parser.add_argument("--receivers", type=int, default=32)
    parser.add_argument("--quick", action="store_true", help="one round of 55,000 messages")
    wishes = parser.parse_args()
    if wishes.quick:
        wishes.messages, wishes.rounds = 55_000, 1
    if wishes.messages % WINDOW == 0:
        parser.error(f"--messages: no multiple of {WINDOW}, please: the last window must wait")
    delays = [int(delay) for delay in wishes.delays.split(",")]
    rounds: dict[int, dict[str, list[Figures]]] = {delay: {"bare loop": [], "sluice": []} for delay in delays}

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    build = wishes.build.resolve()
    with tempfile.TemporaryDirectory(prefix="sluice-whole-") as folder:
        bench = Bench(build, Path(folder), wishes.receivers)
        copies = []
        try:
            for turn in range(wishes.rounds):
                for delay in delays:
                    rounds[delay]["bare loop"].append(bench.bare_loop(wishes.messages, delay))
                    rounds[delay]["sluice"].append(bench.sluice(wishes.messages, delay))
                    if delay == delays[-1]:
                        copies.append(bench.psql_copy())
                    bench.postgres.drop_copy()
                    cpu_us = "/".join(f"{both[-1].cpu_us:.1f}" for both in rounds[delay].values())
                    print(f"round {turn + 1}, {delay} ms: {cpu_us} µs", file=sys.stderr, flush=True)
        finally:
            bench.postgres.stop()
        why = profile_run.refused() if shutil.which("perf") else "it is missing"
        if why:
            print(f"no stages, which perf would tell: {why}", file=sys.stderr)
        shares = {} if why else stages_of(build, Path(folder), min(wishes.messages, PROFILED), delays)
    medians = {delay: {who: median_of(figures) for who, figures in both.items()} for delay, both in rounds.items()}
    copy = {name: statistics.median(each[name] for each in copies) for name in copies[0]}
    digest_ns = sha256_ns()

    print(f"{wishes.messages} messages, --receivers {wishes.receivers}, rounds: {wishes.rounds}")
    show(medians)
    bars = by_stage(medians, shares)
    show_stages(bars)
    print(f"psql \\copy of the same rows: {copy['rows_per_s']:,.0f} rows/s, {copy['cpu_us']:.2f} µs of psql and "
          f"{copy['postgres_us']:.2f} µs of Postgres a row, {copy['wal_bytes']:.0f} B of WAL")  # fmt: skip
    print(f"one SHA-256 over 64 bytes: {digest_ns:.0f} ns")
    print(f"dollars: ${DOLLARS_PER_REQUEST * 1e6:.2f} for a million requests, "
          f"${DOLLARS_PER_CPU_S * 3600:.3f} for a vCPU hour")  # fmt: skip

    results = build / "bench"
    results.mkdir(exist_ok=True)
    write_json(results / "whole.json", {
        "messages": wishes.messages,
        "receivers": wishes.receivers,
        "runs": {str(delay): {who: [{**dataclasses.asdict(figures), "dollars": figures.dollars} for figures in every]
                              for who, every in both.items()} for delay, both in rounds.items()},
        "stages": {str(delay): parts for delay, parts in shares.items()},
        "psql_copy": copies,
        "sha256_64_bytes_ns": digest_ns,
    })  # fmt: skip
    write_bars(results / "whole.svg", "Processor time of a message, µs", bars)
    print(f"\n{results / 'whole.json'}\n{results / 'whole.svg'}")


if __name__ == "__main__":
    main()
