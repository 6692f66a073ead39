# SPDX-License-Identifier: Apache-2.0
"""What was measured, as figures a message, rows of a table, and bars that sluice must reach."""

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Mapping

from programs import Program

DELAYS_MS = (0, 10)


@dataclasses.dataclass
class Outcome:
    """Of one run. Times in seconds."""

    messages: int
    cpu_s: float
    postgres_cpu_s: float
    work_s: float  # from the first call to the answer of the last delete
    peak_bytes: int
    calls: int
    status: int
    right: int  # messages that are in the table, with the masks they must have
    doubled: int
    left: int

    def without(self, idle: "Outcome") -> "Outcome":
        """What starting and finding the queue empty takes, taken off."""
        return dataclasses.replace(
            self,
            cpu_s=self.cpu_s - idle.cpu_s,
            postgres_cpu_s=self.postgres_cpu_s - idle.postgres_cpu_s,
            calls=self.calls - idle.calls,
        )


@dataclasses.dataclass
class Measured:
    """Of one program: what an empty queue took, and by delay the outcome of each round without that."""

    idle: Outcome
    by_delay: dict[int, list[Outcome]]

    def micros(self, delay_ms: int) -> float:
        """Processor time a message; as many seconds a million."""
        return self._median(delay_ms, lambda one: one.cpu_s / one.messages * 1e6)

    def postgres_micros(self, delay_ms: int) -> float:
        return self._median(delay_ms, lambda one: one.postgres_cpu_s / one.messages * 1e6)

    def rate(self, delay_ms: int) -> float:
        return self._median(delay_ms, lambda one: one.messages / one.work_s)

    def calls(self) -> float:
        return self._median(0, lambda one: one.calls / one.messages * 1e3)

    def all(self) -> list[Outcome]:
        return [outcome for outcomes in self.by_delay.values() for outcome in outcomes]

    def _median(self, delay_ms: int, value: Callable[[Outcome], float]) -> float:
        return statistics.median(map(value, self.by_delay[delay_ms]))


HEADINGS = (
    "Program", "Processor s a million, 0 / 10 ms", "Messages/s, 0 / 10 ms", "Peak MiB",
    "Postgres s a million, 0 / 10 ms", "SQS calls for 1,000", "Start and idle exit, processor s",
    "Rows right / doubled / left", "Messages, 0 / 10 ms",
)  # fmt: skip


def row_of(program: Program, measured: Measured) -> tuple[str, ...]:
    rows = (sum(getattr(outcome, name) for outcome in measured.all()) for name in ("right", "doubled", "left"))
    failed = [f"exit {outcome.status}" for outcome in measured.all() if outcome.status != 0]
    return (
        program.name,
        " / ".join(rounded(measured.micros(delay_ms)) for delay_ms in DELAYS_MS),
        " / ".join(f"{measured.rate(delay_ms):,.0f}" for delay_ms in DELAYS_MS),
        f"{max(outcome.peak_bytes for outcome in measured.all()) / 2**20:.0f}",
        " / ".join(rounded(measured.postgres_micros(delay_ms)) for delay_ms in DELAYS_MS),
        f"{measured.calls():,.1f}",
        f"{measured.idle.cpu_s:.2f}",
        ", ".join((" / ".join(f"{count:,}" for count in rows), *failed)),
        " / ".join(f"{count:,}" for count in program.messages),
    )


def rounded(value: float) -> str:
    return f"{value:,.1f}" if value < 20 else f"{value:,.0f}"


BARS = (
    ("processor time", Measured.micros, "Go, COPY, key", 4),
    ("processor time", Measured.micros, "Bento, tuned", 10),
    ("processor time", Measured.micros, "Python, COPY", 30),
    ("Postgres's processor time", Measured.postgres_micros, "Go, COPY, key", 1),
)


def bars(measured: Mapping[str, Measured]) -> Iterable[str]:
    """What sluice must reach beside the others, and what it reached."""
    for what, value, name, bar in BARS:
        if {"sluice", name} <= measured.keys():
            for delay_ms in DELAYS_MS:
                cheaper = value(measured[name], delay_ms) / value(measured["sluice"], delay_ms)
                verdict = "reached" if cheaper >= bar else "MISSED"
                yield f"{what} at {delay_ms} ms a call: 1/{cheaper:.1f} of {name}, must be 1/{bar}: {verdict}"
