#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same work by sluice and by what users would pick instead: a queue of login messages into one table, two masks.

    peers.py BUILD [--rounds N] [--only PART-OF-A-NAME]

BUILD holds the programs. Each round goes through all of them in turn, at 0 and 10 ms a call; the table shows medians,
and BUILD/bench gets peers.json and peers.svg. What a program takes to start and to find an empty queue empty is
measured apart and taken off. What cannot be installed is said, with the reason. README.md beside this file says what
was found.
"""

import argparse
import base64
import datetime
import functools
import hashlib
import hmac
import itertools
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from report import machine, table, write_bars, write_json
from world import ENVIRONMENT, LOOK_EVERY_S, QUEUE, SOURCE, Ended, Postgres, Running, Sandbox, text_of

PEERS = SOURCE / "bench/peers"
sys.path.insert(0, str(PEERS))
from figures import DELAYS_MS, HEADINGS, Measured, Outcome, bars, row_of
from programs import Program, programs_of

WAIT_S = 2  # a long poll that finds nothing: the queue is empty
VISIBILITY_S = 120
LONGEST_S = 120
SECRET = bytes(range(32))


class Logins(Sandbox):
    """A queue of so many good login messages, the same ones each time. Each call is answered delay_ms later."""

    def __init__(self, messages: int, delay_ms: int, *options: str) -> None:
        late = ("--fault", f"* delay={delay_ms}") if delay_ms else ()
        fill = ("--fill", f"logins={messages}", "--only-good", "--visibility", str(VISIBILITY_S))
        super().__init__(*fill, *late, *options)
        self.url = f"{self.endpoint}/000000000000/{QUEUE}"


def domain_key(domain: str) -> bytes:
    """As sluice derives it (HKDF, one block), for those that take the key itself."""
    extracted = hmac.digest(bytes(32), SECRET, hashlib.sha256)
    return hmac.digest(extracted, f"sluice/mask/v1/{domain}\x01".encode(), hashlib.sha256)


# Of both masks of a message: equal for a row and a message only if the right ones stand side by side.
PRODUCTS = """
SELECT ('x' || left(masked_ip, 8))::bit(32)::bigint::numeric * ('x' || left(masked_device_id, 8))::bit(32)::bigint
  FROM (SELECT DISTINCT ON (message_id) * FROM logins) AS once
"""


class Expected:
    """What PRODUCTS must be, message by message."""

    def __init__(self, most: int, folder: Path) -> None:
        clear = folder / "clear"
        Logins(most, 0, "--clear-file", str(clear)).stop()
        values = clear.read_text().splitlines()
        ip, device_id = (functools.partial(self._number, domain_key(name)) for name in ("ip", "device_id"))
        self._products = [ip(one) * device_id(other) for one, other in zip(values[::2], values[1::2], strict=True)]

    def right(self, products: str, messages: int) -> int:
        """How many of the first so many messages are in a table."""
        return len({int(line) for line in products.splitlines()} & set(self._products[:messages]))

    @staticmethod
    def _number(key: bytes, value: str) -> int:
        return int.from_bytes(hmac.digest(key, value.encode(), hashlib.sha256)[:4])


class Bench:
    def __init__(self, build: Path, folder: Path, most: int) -> None:
        Sandbox.program = str(build / "tests/aws_sandbox")
        self._folder = folder
        self._expected = Expected(most, folder)
        self._postgres = Postgres(folder, fsync=True)
        foreign = ("SLUICE_", "AWS_", "PG", "GO", "NODE_", "PYTHON")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            **self._postgres.environment,
            **ENVIRONMENT,
            "AWS_REGION": ENVIRONMENT["AWS_DEFAULT_REGION"],
            "NODE_NO_WARNINGS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SLUICE_PIPELINE": str(PEERS / "sluice/pipeline.json"),
            "SLUICE_KEYRING": str(self._keyring()),
            "SLUICE_WAIT_SECONDS": str(WAIT_S),
            "WAIT_SECONDS": str(WAIT_S),
            "MASK_KEY_IP": domain_key("ip").hex(),
            "MASK_KEY_DEVICE_ID": domain_key("device_id").hex(),
        }
        self._postgres.sql((PEERS / "logins.sql").read_text(), "migrated")
        text_of(build / "sluice", "migrate", env={**self._environment, "PGDATABASE": "migrated"})

    def stop(self) -> None:
        self._postgres.stop()

    def measure(self, program: Program, messages: int, delay_ms: int) -> Outcome:
        self._postgres.copy_database()
        if program.keyed:
            self._postgres.sql("ALTER TABLE logins ADD PRIMARY KEY (message_id)", "run")
        queue = Logins(messages, delay_ms)
        try:
            before_s = self._postgres.cpu_s()
            ended = self._run(program, queue)
            postgres_cpu_s = self._postgres.cpu_s() - before_s
            counts = queue.counts(QUEUE)
        finally:
            queue.stop()
        if counts["problems"] != "0":
            say(f"{program.name}: AWS would have refused: {counts['problem']}")
        rows = self._postgres.number("SELECT count(*) FROM logins")
        different = self._postgres.number("SELECT count(DISTINCT message_id) FROM logins")
        right = self._expected.right(self._postgres.sql(PRODUCTS, "run"), messages)
        self._postgres.drop_copy()
        return Outcome(
            messages,
            ended.cpu_s,
            postgres_cpu_s,
            work_s(counts),
            ended.peak_bytes,
            sum(int(count) for name, count in counts.items() if name.startswith("calls.")),
            ended.status,
            right,
            doubled=rows - different,
            left=int(counts["left"]),
        )

    def _keyring(self) -> Path:
        key = {"id": "k1", "created": "2026-01-01T00:00:00Z", "secret": base64.b64encode(SECRET).decode()}
        file = self._folder / "keyring.json"
        file.write_text(json.dumps({"version": 1, "current": "k1", "keys": [key]}))
        file.chmod(0o600)
        return file

    def _run(self, program: Program, queue: Logins) -> Ended:
        deadline = time.monotonic() + LONGEST_S
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            environment = {
                **self._environment,
                "PGDATABASE": "run",
                "AWS_ENDPOINT_URL_SQS": queue.endpoint,
                "QUEUE_URL": queue.url,
                "SLUICE_QUEUE_URL": queue.url,
                "SLUICE_CHECKPOINT": f"{folder}/checkpoint.db",
                "REJECTS": f"{folder}/rejects",
            }
            running = Running(program.command, environment)
            try:
                while not (ended := running.look()):
                    if time.monotonic() > deadline:
                        running.process.kill()  # its status says so
                    time.sleep(LOOK_EVERY_S)
            finally:
                running.kill()
        return ended


def work_s(counts: Mapping[str, str]) -> float:
    """From the first call to the answer of the last delete; 0 of an empty queue."""
    first = int(counts["first.ReceiveMessage"])
    deletes = [int(counts.get(f"last.{name}", first)) for name in ("DeleteMessage", "DeleteMessageBatch")]
    return (max(deletes) - first) / 1e3


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def fetched(programs: Sequence[Program], missing: dict[str, str]) -> list[Program]:
    """Those that can run here; why the others cannot."""
    reasons = {}
    for part in dict.fromkeys(program.part for program in programs if program.part):
        say(f"fetching {part.name}")
        if reason := part.get():
            reasons[part] = reason
    missing |= {program.name: reasons[program.part] for program in programs if program.part in reasons}
    return [program for program in programs if program.name not in missing]


def started(bench: Bench, programs: Sequence[Program], missing: dict[str, str]) -> dict[Program, Measured]:
    """Those that find an empty queue empty."""
    measured = {}
    for program in programs:
        say(f"an empty queue: {program.name}")
        idle = bench.measure(program, 0, 0)
        if idle.status == 0:
            measured[program] = Measured(idle, {delay_ms: [] for delay_ms in DELAYS_MS})
        else:
            missing[program.name] = f"ends with {idle.status} on an empty queue"
    return measured


def measure(bench: Bench, measured: Mapping[Program, Measured], rounds: int) -> None:
    for turn, (at, delay_ms), program in itertools.product(range(rounds), enumerate(DELAYS_MS), measured):
        mine = measured[program]
        outcome = bench.measure(program, program.messages[at], delay_ms).without(mine.idle)
        mine.by_delay[delay_ms].append(outcome)
        micros = outcome.cpu_s / outcome.messages * 1e6
        say(f"round {turn + 1}, {delay_ms:2} ms, {program.name}: {outcome.work_s:.2f} s, {micros:.1f} µs a message")


def show(measured: Mapping[Program, Measured], missing: Mapping[str, str], into: Path) -> None:
    named = {program.name: one for program, one in measured.items()}
    print(f"\n{datetime.date.today()}, {machine()}\n")
    print(table(HEADINGS, [row_of(program, one) for program, one in measured.items()]))
    print("", *bars(named), *(f"not run: {name}: {reason}" for name, reason in missing.items()), sep="\n")
    into.mkdir(exist_ok=True)
    outcomes = {name: asdict(one) for name, one in named.items()}
    write_json(into / "peers.json", {"not_run": missing, "programs": outcomes})
    costs = [(name, (("program", one.micros(0)), ("Postgres", one.postgres_micros(0)))) for name, one in named.items()]
    write_bars(into / "peers.svg", "Processor seconds a million messages", costs)


def main() -> None:
    parser = argparse.ArgumentParser(description="The same work by sluice and by what users would pick instead.")
    parser.add_argument("build", type=Path, help="folder of the programs")
    parser.add_argument("--rounds", type=int, default=1, help="the median of so many is shown")
    parser.add_argument("--only", default="", help="programs with this in their name")
    wishes = parser.parse_args()
    build = wishes.build.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    missing: dict[str, str] = {}
    programs = fetched([program for program in programs_of(build) if wishes.only in program.name], missing)
    if not programs:
        sys.exit(f"peers.py: nothing to run; missing: {missing}")
    with tempfile.TemporaryDirectory(prefix="sluice-peers-") as folder:
        bench = Bench(build, Path(folder), max(max(program.messages) for program in programs))
        try:
            measured = started(bench, programs, missing)
            measure(bench, measured, wishes.rounds)
        finally:
            bench.stop()
    show(measured, missing, build / "bench")


if __name__ == "__main__":
    main()
