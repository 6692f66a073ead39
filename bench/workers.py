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
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "tests/support"))
from sandbox import ENVIRONMENT, Sandbox

POSTGRES = SOURCE / "tests/support/postgres.sh"
PIPELINE = SOURCE / "pipelines/user_logins/pipeline.json"
QUEUE = "login-queue"
DELAY_MS = 10
WAIT_S = 2
LOOK_EVERY_S = 0.05
SESSIONS_END_WITHIN_S = 60
TICKS = os.sysconf("SC_CLK_TCK")

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


def text_of(*command: str | Path, env: dict[str, str] | None = None) -> str:
    return subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def cpu_of(pid: int) -> float:
    """Seconds of a process and of those children that it has buried."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS


class Postgres:
    """A cluster of our own, with a database that is copied for each run."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "postgres.env"
        text_of(POSTGRES, "start", self._file, "--owner", str(os.getpid()))
        lines = dict(line.split("=", 1) for line in self._file.read_text().splitlines())
        self.environment = {name: value for name, value in lines.items() if name.startswith("PG")}
        self._pid = int(Path(lines["SLUICE_POSTGRES_DATA"], "postmaster.pid").read_text().split()[0])

    def stop(self) -> None:
        text_of(POSTGRES, "stop", self._file)

    def sql(self, statement: str, database: str = "postgres") -> str:
        settings = ("-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database)
        return text_of("psql", *settings, "-c", statement, env={**os.environ, **self.environment})

    def number(self, statement: str) -> int:
        return int(self.sql(statement, "run"))

    def copy_database(self) -> None:
        self.sql("CREATE DATABASE run TEMPLATE migrated")
        self.sql("CHECKPOINT")

    def drop_copy(self) -> None:
        self.sql("DROP DATABASE run WITH (FORCE)")

    def cpu_s(self) -> float:
        """Without sessions: those of the workers have ended, and count as the postmaster's buried children."""
        deadline = time.monotonic() + SESSIONS_END_WITHIN_S
        while self.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'run'") != "0":
            if time.monotonic() > deadline:
                raise RuntimeError("sessions of workers that have ended do not end")
            time.sleep(LOOK_EVERY_S)
        while True:
            children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
            try:
                return cpu_of(self._pid) + sum(cpu_of(int(pid)) for pid in children)
            except FileNotFoundError:  # one of them ended meanwhile, and was buried
                continue


class Queue(Sandbox):
    """Of login messages. Each call is answered DELAY_MS later, however many there are at once."""

    def __init__(self, folder: Path, messages: int, twice: float) -> None:
        self._expected = folder / "expected"
        fill = ("--fill", f"logins={messages}", "--expected-file", str(self._expected))
        again = ("--fault", f"ReceiveMessage chance={twice} twice delay={DELAY_MS}")
        super().__init__(*fill, *again, "--fault", f"* delay={DELAY_MS}")

    def cpu_s(self) -> float:
        return cpu_of(self._process.pid)

    def good(self) -> int:
        return int(dict(line.split() for line in self._expected.read_text().splitlines())["good"])


class Bench:
    def __init__(self, build: Path, folder: Path, twice: float) -> None:
        self._sluice = build / "sluice"
        self._twice = twice
        Sandbox.program = str(build / "tests/aws_sandbox")
        self._folder = folder
        self._postgres = Postgres(folder)
        foreign = ("SLUICE_", "AWS_", "PG")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            **self._postgres.environment,
            **ENVIRONMENT,
            "PGDATABASE": "migrated",
            "SLUICE_PIPELINE": str(PIPELINE),
            "SLUICE_KEYRING": str(folder / "keyring.json"),
        }
        self._postgres.sql("CREATE DATABASE migrated")
        text_of(self._sluice, "keygen", env=self._environment)
        text_of(self._sluice, "migrate", "--with-tables", env=self._environment)

    def stop(self) -> None:
        self._postgres.stop()

    def measure(self, receivers: int, workers: int) -> Outcome:
        self._postgres.copy_database()
        queue = Queue(self._folder, MESSAGES[receivers], self._twice)
        checkpoints = self._folder / "checkpoints"
        checkpoints.mkdir()
        try:
            before = (queue.cpu_s(), self._postgres.cpu_s())
            empty_s, end_s, worker_cpu_s = self._run(queue, receivers, workers, checkpoints)
            after = (queue.cpu_s(), self._postgres.cpu_s())
            counts = queue.counts(QUEUE)
            self._prove(MESSAGES[receivers], queue.good(), counts)
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
        environment = {**self._environment, "PGDATABASE": "run", "AWS_ENDPOINT_URL_SQS": queue.endpoint}
        limits = ("--receivers", str(receivers), "--wait-seconds", str(WAIT_S), "--empty-polls", "2")
        running: list[subprocess.Popen] = []
        start = time.monotonic()
        empty_s = cpu_s = 0.0
        try:
            for number in range(workers):
                own = ("--worker", str(number), "--checkpoint", folder / f"{number}.db")
                command = (self._sluice, "run", "--quiet", *limits, *own)
                running.append(subprocess.Popen(command, env=environment))
            while running:
                if not empty_s and queue.counts(QUEUE)["left"] == "0":
                    empty_s = time.monotonic() - start
                for worker in tuple(running):
                    ended, status, usage = os.wait4(worker.pid, os.WNOHANG)
                    if ended:
                        running.remove(worker)
                        worker.returncode = os.waitstatus_to_exitcode(status)
                        cpu_s += usage.ru_utime + usage.ru_stime
                        expect("exit status of a worker", 0, worker.returncode)
                time.sleep(LOOK_EVERY_S)
        finally:
            for worker in running:
                worker.kill()
                worker.wait()
        return empty_s, time.monotonic() - start, cpu_s

    def _prove(self, messages: int, good: int, counts: dict[str, str]) -> None:
        expect("messages left in the queue", 0, int(counts["left"]))
        expect("requests that AWS would have refused", 0, int(counts["problems"]))
        for what, expected, statement in (
            ("rows", good, "SELECT count(*) FROM public.user_logins"),
            ("different users in them", good, "SELECT count(DISTINCT user_id) FROM public.user_logins"),
            ("rejections", messages - good, "SELECT count(*) FROM sluice.rejected_message"),
            ("messages in the ledger", messages, "SELECT count(*) FROM sluice.loaded_message"),
            ("by the windows' own count", messages, "SELECT sum(loaded + rejected) FROM sluice.loaded_window"),
        ):
            expect(what, expected, self._postgres.number(statement))


def expect(what: str, expected: int, found: int) -> None:
    if found != expected:
        sys.exit(f"workers.py: {what}: {found}, must be {expected}")


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
