# SPDX-License-Identifier: Apache-2.0
"""What a DAG run needs around it, for a test: a queue with messages, a database of its own, keys, the environment."""

import os
import secrets
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))
from sandbox import ENVIRONMENT, Sandbox

LOGIN_QUEUE = "login-queue"  # as the pipeline file has it


def outside() -> dict[str, str]:
    """Our own environment without whatever would lead a run to another queue, database or Airflow."""
    foreign = ("AIRFLOW", "AWS_", "PG", "SLUICE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def url_of(queue: str) -> str:
    return f"https://sqs.us-east-1.amazonaws.com/000000000000/{queue}"


def cluster_of_the_tests() -> dict[str, str]:
    """How to reach it, by libpq's variables; ctest names the file."""
    return dict(line.split("=", 1) for line in Path(os.environ["SLUICE_TEST_POSTGRES"]).read_text().splitlines())


class World:
    """`variables` is what a DAG run and its commands see; `messages` lie in the first of `queues`.

    The database is in the cluster of the tests, the program is $SLUICE_BINARY, as ctest has it.
    """

    def __init__(self, messages: int, *sandbox_options: str, queues: tuple[str, ...] = (LOGIN_QUEUE,)) -> None:
        cluster = cluster_of_the_tests()
        program = Path(os.environ["SLUICE_BINARY"]).resolve()
        self._temporary = tempfile.TemporaryDirectory(prefix="sluice-world-")
        self.folder = Path(self._temporary.name)
        self.database = f"dag_{secrets.token_hex(6)}"
        self._queues = queues
        self._sandbox: Sandbox | None = None
        self.variables = (
            outside() | ENVIRONMENT | {name: value for name, value in cluster.items() if name.startswith("PG")}
        )
        self._psql("postgres", f"CREATE DATABASE {self.database}")
        try:
            self._sandbox = Sandbox(
                f"--fill=logins={messages}",
                f"--expected-file={self.folder / 'expected'}",
                *(f"--queue={queue}" for queue in queues),
                *sandbox_options,
            )
            self.variables |= {
                "PATH": f"{program.parent}:{os.environ['PATH']}",
                "PGDATABASE": self.database,
                "STATE_DIRECTORY": str(self.folder / "state"),
                "AWS_ENDPOINT_URL_SQS": self._sandbox.endpoint,
                "SLUICE_KEYRING": str(self.folder / "keyring.json"),
                "SLUICE_WAIT_SECONDS": "1",
                "SLUICE_EMPTY_POLLS": "1",
                "SLUICE_DAG_PIPELINE": str(REPOSITORY / "pipelines/user_logins/pipeline.json"),
                "SLUICE_DAG_PIPELINES": str(REPOSITORY / "pipelines"),
            }
            self.sluice("keygen")
            self.sluice("migrate", "--with-tables", "--pipeline", self.variables["SLUICE_DAG_PIPELINE"])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._sandbox:
            self._sandbox.stop()
        self._psql("postgres", f"DROP DATABASE {self.database} WITH (FORCE)")
        self._temporary.cleanup()

    def sluice(self, *words: str) -> str:
        """Its standard output; what goes wrong is an exception."""
        done = subprocess.run(
            ["sluice", *words], env=self.variables, cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        if done.returncode != 0:
            raise RuntimeError(f"sluice {' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def rows(self, query: str) -> list[list[str]]:
        answer = self._psql(self.database, query)
        return [line.split("\x1f") for line in answer.splitlines()]

    def value(self, query: str) -> str:
        [[value]] = self.rows(query)
        return value

    def counts(self, queue: str = "") -> dict[str, str]:
        """As the sandbox counts them: sent, deliveries, deleted, left, visible, in_flight, problems, calls.NAME."""
        assert self._sandbox
        return self._sandbox.counts(queue or self._queues[0])

    def expected(self) -> dict[str, int]:
        """How many of the messages are "good", and how many are to be rejected for each reason."""
        lines = (line.split() for line in (self.folder / "expected").read_text().splitlines())
        return {name: int(number) for name, number in lines if name != "example"}

    def assert_everything_once(self, test: unittest.TestCase, problems: int = 0) -> None:
        """With so many requests that AWS would have refused."""
        rejected = self.expected()
        good = str(rejected.pop("good"))
        test.assertEqual(self.rows("SELECT count(*), count(DISTINCT user_id) FROM public.user_logins"), [[good, good]])
        found = self.rows("SELECT reason, count(*) FROM sluice.rejected_message GROUP BY reason")
        test.assertEqual({reason: int(number) for reason, number in found}, rejected)
        test.assertEqual(self.value("SELECT sum(loaded) FROM sluice.loaded_window"), good)
        counts = self.counts()
        test.assertEqual((counts["left"], counts["problems"]), ("0", str(problems)), counts)

    def _psql(self, database: str, query: str) -> str:
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query]
        return subprocess.run(
            command, env=self.variables, stdout=subprocess.PIPE, text=True, check=True, timeout=120
        ).stdout
