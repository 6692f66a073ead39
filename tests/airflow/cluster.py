# SPDX-License-Identifier: Apache-2.0
"""Airflow as it runs on several hosts: api-server, scheduler, dag-processor, Redis, and Celery workers.

Each worker keeps its tasks' logs in a folder of its own, as hosts do: that tells which of them ran what. Nothing here
ends by itself: whoever makes a Cluster does so under keeper.keep.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import keeper

WITHIN_S = 120  # generous: two cores, and whatever else is tested on them
AIRFLOW = [sys.executable, "-m", "airflow"]

T = TypeVar("T")

# Proxies of the environment are not for loopback.
http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def reserved_port() -> socket.socket:
    """A free one, which no connection of ours gets while this is bound; who asks for it by its number still does."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def settings(dags: Path, database: str, api_port: int, redis_port: int) -> dict[str, str]:
    """Airflow's, as it reads them from the environment."""
    sections: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": dags,
            "load_examples": False,
            "fernet_key": "",  # or each home would get one of its own
            "dags_are_paused_at_creation": False,
            "executor": "CeleryExecutor",
            "execution_api_server_url": f"http://127.0.0.1:{api_port}/execution/",
            "simple_auth_manager_all_admins": True,
        },
        "database": {"sql_alchemy_conn": f"postgresql+psycopg2://{database}"},
        "celery": {
            "broker_url": f"redis://127.0.0.1:{redis_port}/0",
            # Without its driver that would mean one that is not installed.
            "result_backend": f"db+postgresql+psycopg2://{database}",
            "worker_concurrency": 2,
        },
        "api": {"host": "127.0.0.1", "port": api_port, "base_url": f"http://127.0.0.1:{api_port}", "workers": 1},
        "api_auth": {"jwt_secret": secrets.token_hex(32)},
        "workers": {"min_heartbeat_interval": 2},
        "scheduler": {
            "use_job_schedule": False,  # a run comes when a test asks for one, not when its hour has come
            "task_instance_heartbeat_timeout": 15,
            "task_instance_heartbeat_timeout_detection_interval": 2,
        },
    }
    return {
        f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
        for section, values in sections.items()
        for name, value in values.items()
    }


class Cluster:
    """It answers when it is constructed. Of `folder` it takes what it needs.

    Airflow's own data goes into `database`, USER:PASSWORD@HOST:PORT/NAME. All of its processes see `environment`.
    """

    def __init__(
        self, folder: Path, dags: Path, environment: Mapping[str, str], database: str, workers: Iterable[str]
    ) -> None:
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = [reserved_port(), reserved_port()]
        api_port, redis_port = (port.getsockname()[1] for port in self._ports)
        self._base = f"http://127.0.0.1:{api_port}"
        self._environment = {**environment, "NO_PROXY": "*", **settings(dags, database, api_port, redis_port)}
        self._token = ""
        redis = ["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._start("redis", redis)
        if self._start("migrate", [*AIRFLOW, "db", "migrate"]).wait() != 0:
            raise RuntimeError(self.log("migrate"))
        del self._processes["migrate"]
        for part in ("api-server", "scheduler", "dag-processor"):
            self._start(part, [*AIRFLOW, part])
        for name in workers:
            self.start_worker(name)
        self.until(self._is_healthy, "a healthy scheduler and dag-processor")
        self._token = self._call("GET", "/auth/token")["access_token"]

    def start_worker(self, name: str) -> None:
        """Unless it is there."""
        if name not in self._processes:
            worker = ["celery", "worker", "--celery-hostname", f"{name}@%h", "--skip-serve-logs"]
            self._start(name, [*AIRFLOW, *worker])

    def await_worker(self, name: str) -> None:
        self.until(lambda: " ready." in self.log(name), f"worker {name}")

    def kill_worker(self, name: str) -> None:
        """As if its host had died: nothing of it sees the rest of it end."""
        process = self._processes.pop(name)
        stopped: set[int] = set()
        while found := {process.pid, *keeper.below(process.pid)} - stopped:
            send(signal.SIGSTOP, found)
            stopped |= found
        send(signal.SIGKILL, stopped)
        process.wait()

    def end_worker(self, name: str) -> subprocess.Popen[bytes]:
        """By SIGTERM: it takes no more tasks, and ends when those that it has are done."""
        process = self._processes.pop(name)
        process.terminate()
        self.until(lambda: "Warm shutdown" in self.log(name), f"{name} shutting down")
        return process

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def tries(self, worker: str, dag_run: str) -> set[tuple[int, int]]:
        """Index and number of each try of a mapped task that ran there."""
        logs = (self._folder / worker / "logs").glob(f"*/run_id={dag_run}/*/map_index=*/attempt=*.log")
        return {(value(log.parent.name), value(log.stem)) for log in logs}

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._call(method, f"/api/v2/{path}", body)

    def knows(self, dag: str) -> bool:
        return any(found["dag_id"] == dag for found in self.call("GET", "dags")["dags"])

    def until(self, ask: Callable[[], T | None], what: str) -> T:
        """The first answer that is something."""
        deadline = time.monotonic() + WITHIN_S
        while not (answer := ask()):
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended with {process.returncode}:\n{self.log(name)[-3000:]}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {WITHIN_S} s: {what}\n{self._ends_of_logs()}")
            time.sleep(0.1)
        return answer

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        with http.open(urllib.request.Request(self._base + path, data, headers, method=method), timeout=60) as answer:
            return json.load(answer)

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        """Each has a home of its own, and there its pid file and its tasks' logs."""
        home = self._folder / name
        home.mkdir(exist_ok=True)
        with (self._folder / f"{name}.log").open("wb") as log:
            self._processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=home,
                env=self._environment | {"AIRFLOW_HOME": str(home)},
                start_new_session=True,
            )
        return self._processes[name]

    def _ends_of_logs(self) -> str:
        logs = [*self._folder.glob("*.log"), *self._folder.glob("*/logs/dag_id=*/**/attempt=*.log")]
        return "\n".join(f"{log}:\n{log.read_text(errors='replace')[-3000:]}" for log in logs)

    def _is_healthy(self) -> bool:
        try:
            health = self.call("GET", "monitor/health")
        except OSError:
            return False
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def value(name: str) -> int:
    """Of "name=value"."""
    return int(name.partition("=")[2])
