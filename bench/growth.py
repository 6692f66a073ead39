#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether a message costs the same however many there are, and however many were loaded before it on the same day.

    growth.py BUILD [--quick]

BUILD holds the programs. First sluice drains queues of fifteen thousand to five million messages. Then it loads again and
again into one ledger, between which SQL fills in the messages of a busy day, up to twenty million of them, sent up to
five minutes before they arrived. Prints two tables, writes BUILD/bench/growth.json; ten minutes, with --quick one.
"""

import argparse
import dataclasses
import signal
import sys
import tempfile
from pathlib import Path

from report import table, write_json
from whole import Bench, Figures
from world import SENT_PER_S, Postgres, Queue, expect

RECEIVERS = 32
MESSAGES = (15_000, 105_000, 1_005_000, 5_005_000)  # no multiples of 10,000; see whole.py
LEDGER = (0, 1_000_000, 5_000_000, 20_000_000)
LOADED_AGAIN = 205_000  # at each size of the ledger
QUICK_MESSAGES, QUICK_LEDGER, QUICK_LOADED_AGAIN = (15_000, 105_000), (0, 500_000), 55_000
JITTER_S = 300
BUSY_S = LEDGER[-1] // SENT_PER_S  # in which the ids of the day were sent

HELD = "SELECT count(*) FROM sluice.loaded_message"
FILL = f"""
SET synchronous_commit = off;
SELECT sluice.add_days(now()::date - 1, now()::date + 1);
INSERT INTO sluice.loaded_message (sent_at, message_id, pipeline)
SELECT now() - interval '{BUSY_S} s' * (1 - n / {{count}}::float) - interval '{JITTER_S} s' * random(),
       gen_random_uuid(), 'user_logins'
  FROM generate_series(1, {{count}}) AS n;
"""


def fill(postgres: Postgres, count: int) -> None:
    if count > 0:
        postgres.sql(FILL.format(count=count), "run")
    postgres.sql("VACUUM ANALYZE sluice.loaded_message", "run")  # else autovacuum comes while we measure
    postgres.sql("CHECKPOINT")


def by_messages(bench: Bench, sizes: tuple[int, ...]) -> dict[int, Figures]:
    measured = {}
    for messages in sizes:
        measured[messages] = bench.sluice(messages, delay_ms=0)
        bench.postgres.drop_copy()
        told(f"{messages} messages: {measured[messages].cpu_us:.1f} µs each")
    return measured


def by_ledger(bench: Bench, build: Path, folder: Path, sizes: tuple[int, ...], messages: int) -> dict[int, Figures]:
    bench.postgres.copy_database()
    measured: dict[int, Figures] = {}
    for size in sizes:
        held = bench.postgres.number(HELD)
        fill(bench.postgres, size - held)
        held = max(size, held)
        queue = Queue(build, folder, messages, jitter_s=JITTER_S, seed=1 + len(measured))
        try:
            measured[held] = bench.drain(queue)
            expect("messages left in the queue", 0, queue.left())
        finally:
            queue.stop()
        expect("ids in the ledger", held + messages, bench.postgres.number(HELD))
        told(f"ledger of {held}: {measured[held].postgres_us:.1f} µs of Postgres a message")
    bench.postgres.drop_copy()
    return measured


def told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


COLUMNS = (
    ("messages/s", "messages_per_s", ",.0f"),
    ("program, µs", "cpu_us", ".1f"),
    ("Postgres, µs", "postgres_us", ".2f"),
    ("WAL, B", "wal_bytes", ".0f"),
    ("peak, MiB", "peak_mib", ".1f"),
)


def show(what: str, measured: dict[int, Figures]) -> None:
    rows = [(f"{size:,}", *(format(getattr(figures, name), form) for _, name, form in COLUMNS))
            for size, figures in measured.items()]  # fmt: skip
    print("\n" + table((what, *(heading for heading, _, _ in COLUMNS)), rows))


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether a message costs the same however many there are.")
    parser.add_argument("build", type=Path, help="folder of the programs")
    parser.add_argument("--quick", action="store_true", help="small queues and a small ledger")
    wishes = parser.parse_args()
    sizes, ledger, again = MESSAGES, LEDGER, LOADED_AGAIN
    if wishes.quick:
        sizes, ledger, again = QUICK_MESSAGES, QUICK_LEDGER, QUICK_LOADED_AGAIN

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    build = wishes.build.resolve()
    with tempfile.TemporaryDirectory(prefix="sluice-growth-") as name:
        folder = Path(name)
        bench = Bench(build, folder, RECEIVERS)
        try:
            queues = by_messages(bench, sizes)
            ledgers = by_ledger(bench, build, folder, ledger, again)
        finally:
            bench.postgres.stop()
    show("messages in the queue", queues)
    show("ids of the day before", ledgers)
    results = build / "bench"
    results.mkdir(exist_ok=True)
    kept = {"messages": queues, "ledger": ledgers}
    write_json(results / "growth.json", {what: {size: dataclasses.asdict(figures) for size, figures in measured.items()}
                                         for what, measured in kept.items()})  # fmt: skip
    print(f"\n{results / 'growth.json'}")


if __name__ == "__main__":
    main()
