#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What more workers bring, when each call to the queue takes 10 ms: 1, 2, 4 and 8 of them on copies of one queue.

    workers.py BUILD [--rounds N] [--receivers 32|2] [--workers 1,2,4,8] [--twice CHANCE]

BUILD holds the programs. Prints a table, the median of the rounds; a round goes through all settings in turn, so that
what else the machine does meets all of them. Fails when a message was lost, doubled or left in the queue.
README.md beside this file says what the numbers mean.
"""

import argparse
import dataclasses
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from world import LOOK_EVERY_S, QUEUE, Postgres, Queue, Running, Sluice, expect, expect_rows

DELAY_MS = 10
WAIT_S = 2

# Messages, by --receivers: 32 is the default, and with 2 a worker does little but wait. No multiple of a window's
# 10,000, so the last window of a run always waits for an empty poll.
MESSAGES = {32: 205_000, 2: 95_000}


@dataclasses.dataclass
class Outcome:
    """Of one run of some workers. Times in seconds from the start of the first worker."""

    empty_s: float  # the last message was loaded and deleted
    end_s: float  # the last worker ended
    worker_cpu_s: float
    sandbox_cpu_s: float
    postgres_cpu_s: float
    calls: int
    deliveries: int
    windows: int
    rollbacks: int

    @property
    def work_s(self) -> float:
        """Without the empty poll that the last window waits for."""
        return self.empty_s - WAIT_S


class Bench:
    def __init__(self, build: Path, folder: Path, twice: float) -> None:
        self._build = build
        self._twice = twice
        self._folder = folder
        self._postgres = Postgres(folder)
        self._sluice = Sluice(build, folder, self._postgres)

    def stop(self) -> None:
        self._postgres.stop()

    def measure(self, receivers: int, workers: int) -> Outcome:
        self._postgres.copy_database()
        queue = Queue(self._build, self._folder, MESSAGES[receivers], DELAY_MS, twice=self._twice)
        checkpoints = self._folder / "checkpoints"
        checkpoints.mkdir()
        try:
            before = (queue.cpu_s(), self._postgres.cpu_s())
            empty_s, end_s, worker_cpu_s = self._run(queue, receivers, workers, checkpoints)
            after = (queue.cpu_s(), self._postgres.cpu_s())
            expect_rows(self._postgres, queue)
            counts = queue.counts(QUEUE)
        finally:
            queue.stop()
            shutil.rmtree(checkpoints)
        outcome = Outcome(
            empty_s,
            end_s,
            worker_cpu_s,
            sandbox_cpu_s=after[0] - before[0],
            postgres_cpu_s=after[1] - before[1],
            calls=sum(int(count) for name, count in counts.items() if name.startswith("calls.")),
            deliveries=int(counts["deliveries"]),
            windows=self._postgres.number("SELECT count(*) FROM sluice.loaded_window"),
            rollbacks=self._postgres.number("SELECT xact_rollback FROM pg_stat_database WHERE datname = 'run'"),
        )
        self._postgres.drop_copy()
        return outcome

    def _run(self, queue: Queue, receivers: int, workers: int, folder: Path) -> tuple[float, float, float]:
        limits = ("--receivers", str(receivers), "--wait-seconds", str(WAIT_S), "--empty-polls", "2")
        running: list[Running] = []
        start = time.monotonic()
        empty_s = cpu_s = 0.0
        try:
            for number in range(workers):
                own = folder / f"{number}.db"
                running.append(self._sluice.start(queue, own, *limits, "--worker", str(number)))
            while running:
                if not empty_s and queue.left() == 0:
                    empty_s = time.monotonic() - start
                for worker in tuple(running):
                    if ended := worker.look():
                        running.remove(worker)
                        cpu_s += ended.cpu_s
                        expect("exit status of a worker", 0, ended.status)
                time.sleep(LOOK_EVERY_S)
        finally:
            for worker in running:
                worker.kill()
        return empty_s, time.monotonic() - start, cpu_s


HEADINGS = (
    "workers", "messages/s", "speed-up", "empty s", "end s",
    "worker µs", "sandbox µs", "Postgres µs", "calls/1000", "windows", "rollbacks", "twice",
)  # fmt: skip


def show(receivers: int, outcomes: dict[int, list[Outcome]]) -> None:
    messages = MESSAGES[receivers]
    print(f"\n{messages} messages, {DELAY_MS} ms a call, --receivers {receivers}\n")
    print("| " + " | ".join(HEADINGS) + " |")
    print("|" + "---:|" * len(HEADINGS))
    alone_s = 0.0
    for workers, measured in outcomes.items():
        mid = {
            name: statistics.median(getattr(outcome, name) for outcome in measured)
            for name in (*Outcome.__annotations__, "work_s")
        }
        alone_s = alone_s or mid["work_s"]
        micros = (f"{mid[f'{who}_cpu_s'] / messages * 1e6:.0f}" for who in ("worker", "sandbox", "postgres"))
        cells = (
            f"{workers}",
            f"{messages / mid['work_s']:.0f}",
            f"{alone_s / mid['work_s']:.2f}",
            f"{mid['empty_s']:.1f}",
            f"{mid['end_s']:.1f}",
            *micros,
            f"{mid['calls'] / messages * 1e3:.1f}",
            f"{mid['windows']:.0f}",
            f"{mid['rollbacks']:.0f}",
            f"{mid['deliveries'] - messages:.0f}",
        )
        print("| " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description="What more workers bring, at 10 ms to the queue.")
    parser.add_argument("build", type=Path, help="folder of the programs")
    parser.add_argument("--rounds", type=int, default=1, help="the median of so many is shown")
    parser.add_argument("--receivers", type=int, choices=MESSAGES, help="one setting instead of all")
    parser.add_argument("--workers", default="1,2,4,8", help="numbers of workers, apart by commas")
    parser.add_argument("--twice", type=float, default=0, help="chance that what a receive gives is given again")
    wishes = parser.parse_args()
    numbers = [int(number) for number in wishes.workers.split(",")]
    settings = [wishes.receivers] if wishes.receivers else list(MESSAGES)
    outcomes: dict[int, dict[int, list[Outcome]]] = {
        receivers: {number: [] for number in numbers} for receivers in settings
    }

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="sluice-workers-") as folder:
        bench = Bench(wishes.build.resolve(), Path(folder), wishes.twice)
        try:
            for turn in range(wishes.rounds):
                for receivers in settings:
                    for number in numbers:
                        outcome = bench.measure(receivers, number)
                        outcomes[receivers][number].append(outcome)
                        done = f"round {turn + 1}, {receivers} receivers, {number} workers: {outcome.work_s:.2f} s"
                        print(done, file=sys.stderr, flush=True)
        finally:
            bench.stop()
    for receivers, measured in outcomes.items():
        show(receivers, measured)


if __name__ == "__main__":
    main()
