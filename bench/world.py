# SPDX-License-Identifier: Apache-2.0
"""What the benches of whole programs stand on: servers of their own, the program, and what a process costs.

    Postgres   a private cluster with a database `migrated` that is copied for each run
    Queue      the sandbox with login messages in one queue; answers each call so many milliseconds later
    Sluice     the program, with a keyring and a migrated database
    Running    a process of ours, watched until it ends: an Ended says what it took
    expect     ends the bench when something is not as it must be; expect_rows does that for what lies in Postgres

Processor times are seconds, from /proc and wait4; times of day are those of time.monotonic(), which the sandbox uses too.
"""

import dataclasses
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "tests/support"))
from sandbox import ENVIRONMENT, Sandbox

POSTGRES = SOURCE / "tests/support/postgres.sh"
PIPELINE = SOURCE / "pipelines/user_logins/pipeline.json"
QUEUE = "login-queue"
SENT_PER_S = 5_000
LOOK_EVERY_S = 0.05
SESSIONS_END_WITHIN_S = 60
TICKS = os.sysconf("SC_CLK_TCK")


def expect(what: str, expected: int, found: int) -> None:
    if found != expected:
        sys.exit(f"{Path(sys.argv[0]).name}: {what}: {found}, must be {expected}")


def text_of(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    return subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def lines_of(path: str | Path) -> dict[str, str]:
    """Of a file under /proc whose lines are `name: value unit`."""
    return {name: rest.split()[0] for name, _, rest in (line.partition(":") for line in open(path)) if rest.split()}


def cpu_of(pid: int) -> float:
    """Seconds of a process and of those children that it has buried."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS


class Postgres:
    """A cluster of our own, with a database that is copied for each run."""

    def __init__(self, folder: Path, fsync: bool = False) -> None:
        self._file = folder / "postgres.env"
        durable = ("--durable",) if fsync else ()
        text_of(POSTGRES, "start", self._file, "--owner", str(os.getpid()), *durable)
        lines = dict(line.split("=", 1) for line in self._file.read_text().splitlines())
        self.environment = {name: value for name, value in lines.items() if name.startswith("PG")}
        self._pid = int(Path(lines["SLUICE_POSTGRES_DATA"], "postmaster.pid").read_text().split()[0])
        self.sql("CREATE DATABASE migrated")

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

    def wal_bytes(self) -> int:
        return int(self.sql("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"))

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
            except (FileNotFoundError, ProcessLookupError):  # one of them ended meanwhile, and was buried
                continue


class Queue(Sandbox):
    """Of login messages, sent at SENT_PER_S, each up to jitter_s early. Each call is answered delay_ms later, however
    many there are at once."""

    def __init__(
        self,
        build: Path,
        folder: Path,
        messages: int,
        delay_ms: int = 0,
        *,
        twice: float = 0,
        jitter_s: int = 0,
        seed: int = 1,
    ) -> None:
        Sandbox.program = str(build / "tests/aws_sandbox")
        self.messages = messages
        self._expected = folder / "expected"
        options = ["--unsigned-ok", "--fill", f"logins={messages}", "--seed", str(seed)]
        options += ["--sent-within", str(messages // SENT_PER_S), "--jitter", str(jitter_s)]
        options += ["--expected-file", str(self._expected)]
        if twice:
            options += ["--fault", f"ReceiveMessage chance={twice} twice delay={delay_ms}"]
        if delay_ms:
            options += ["--fault", f"* delay={delay_ms}"]
        super().__init__(*options)

    def cpu_s(self) -> float:
        return cpu_of(self._process.pid)

    def good(self) -> int:
        return int(dict(line.split() for line in self._expected.read_text().splitlines())["good"])

    def left(self) -> int:
        return int(self.counts(QUEUE)["left"])


def expect_rows(postgres: Postgres, queue: Queue) -> None:
    """Every message once, where it belongs: what sluice leaves behind."""
    counts, good = queue.counts(QUEUE), queue.good()
    expect("messages left in the queue", 0, int(counts["left"]))
    expect("requests that AWS would have refused", 0, int(counts["problems"]))
    for what, expected, statement in (
        ("rows", good, "SELECT count(*) FROM public.user_logins"),
        ("different users in them", good, "SELECT count(DISTINCT user_id) FROM public.user_logins"),
        ("rejections", queue.messages - good, "SELECT count(*) FROM sluice.rejected_message"),
        ("messages in the ledger", queue.messages, "SELECT count(*) FROM sluice.loaded_message"),
        ("by the windows' own count", queue.messages, "SELECT sum(loaded + rejected) FROM sluice.loaded_window"),
    ):
        expect(what, expected, postgres.number(statement))


class Sluice:
    """The program, with a keyring of its own and a database `migrated` that it has migrated."""

    def __init__(self, build: Path, folder: Path, postgres: Postgres) -> None:
        self._program = build / "sluice"
        foreign = ("SLUICE_", "AWS_", "PG")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            **postgres.environment,
            **ENVIRONMENT,
            "PGDATABASE": "migrated",
            "SLUICE_PIPELINE": str(PIPELINE),
            "SLUICE_KEYRING": str(folder / "keyring.json"),
        }
        text_of(self._program, "keygen", env=self._environment)
        text_of(self._program, "migrate", "--with-tables", env=self._environment)

    def start(self, queue: Queue, checkpoint: Path, *options: str, under: Sequence[str | Path] = ()) -> "Running":
        """`under`: a command that runs another, such as `perf record`."""
        environment = {**self._environment, "PGDATABASE": "run", "AWS_ENDPOINT_URL_SQS": queue.endpoint}
        command = (*under, self._program, "run", "--quiet", "--checkpoint", checkpoint, *options)
        return Running(command, environment)


@dataclasses.dataclass
class Ended:
    status: int
    start: float  # time.monotonic() of start and end
    end: float
    cpu_s: float
    peak_bytes: int  # resident
    disk_bytes: int  # that it dirtied in files


class Running:
    """A process of ours. Look often: how large it was is forgotten when it ends."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str], **others: object) -> None:
        self._start = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, **others)
        self._proc = Path(f"/proc/{self.process.pid}")
        self._peak_bytes = 0

    def look(self) -> Ended | None:
        """None while it runs."""
        if not os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            try:
                self._peak_bytes = int(lines_of(self._proc / "status")["VmHWM"]) * 1024
            except KeyError:  # it is about to end
                pass
            return None
        end = time.monotonic()
        io = lines_of(self._proc / "io")  # of all its threads, as long as it is not buried
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return Ended(
            self.process.returncode,
            self._start,
            end,
            usage.ru_utime + usage.ru_stime,
            self._peak_bytes,
            int(io["write_bytes"]),
        )

    def wait(self) -> Ended:
        ends = os.pidfd_open(self.process.pid)
        try:
            while not (ended := self.look()):
                select.select([ends], [], [], LOOK_EVERY_S)
            return ended
        finally:
            os.close(ends)

    def kill(self) -> None:
        """Without effect when it has ended."""
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
