# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder stand on: a run of the program, and a service that it announces itself to."""

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "airflow"))
from world import Sandbox, World  # noqa: F401  for those who import us


class Listener:
    """An HTTP server on loopback that takes everything; `posts` are paths and bodies in their order."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, bytes]] = []
        posts = self.posts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posts.append((self.path, body))
                self.send_response(201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def run(world: World, *words: str, **variables: str) -> dict[str, Any]:
    """The summary of `sluice run`, however it ended."""
    command = ["sluice", "run", "--json", "--pipeline", world.variables["SLUICE_DAG_PIPELINE"], *words]
    environment = world.variables | variables
    done = subprocess.run(command, env=environment, cwd=world.folder, capture_output=True, text=True, timeout=120)
    try:
        summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise RuntimeError(f"no summary: {done.stdout}{done.stderr}") from error
    if "not-announced" in done.stderr:
        raise RuntimeError(done.stderr)
    return summary
