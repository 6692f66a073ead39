# SPDX-License-Identifier: Apache-2.0
"""Prometheus and its node_exporter on loopback, as a test starts them."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Callable

WITHIN_S = 60
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def require(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            print(f"skipped: no {program} here; make setup installs it")
            sys.exit(77)


def wait_for(look: Callable[[], Any], what: str) -> Any:
    """What `look` returns once that is something."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := look()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {WITHIN_S} s")
        time.sleep(0.05)
    return found


class Server:
    """A program that listens on a free port."""

    def __init__(self, folder: Path, *command: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.log = folder / f"{command[0]}.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [*command, f"--web.listen-address={self.address}"], stdout=log, stderr=subprocess.STDOUT
            )

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=WITHIN_S)

    def get(self, path: str) -> str:
        """Empty until it answers."""
        if self._process.poll() is not None:
            raise RuntimeError(f"it ended: {self.log.read_text()}")
        try:
            with _direct.open(f"http://{self.address}{path}", timeout=WITHIN_S) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return ""


class NodeExporter(Server):
    def __init__(self, folder: Path, textfiles: Path) -> None:
        super().__init__(
            folder,
            "prometheus-node-exporter",
            "--collector.disable-defaults",
            "--collector.textfile",
            f"--collector.textfile.directory={textfiles}",
        )

    def metrics(self) -> str:
        return wait_for(lambda: self.get("/metrics"), "node_exporter answers")


class Prometheus(Server):
    def __init__(self, folder: Path, exporter: NodeExporter, rules: Path) -> None:
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "node", "static_configs": [{"targets": [exporter.address]}]}],
        }
        file = folder / "prometheus.yml"
        file.write_text(json.dumps(configuration))  # which is YAML
        super().__init__(
            folder,
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            "--log.level=warn",
        )

    def ask(self, path: str, **parameters: str) -> Any:
        """The `data` of its answer; none while it does not answer yet."""
        answer = self.get(f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        try:
            answer = json.loads(answer)
        except ValueError:
            return None
        if answer["status"] != "success":
            raise RuntimeError(f"{path} {parameters}: {answer['error']}")
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        data = self.ask("query", query=expression)
        return data["result"] if data else []
