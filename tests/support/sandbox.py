# SPDX-License-Identifier: Apache-2.0
"""The sandbox that stands for AWS, as tests in Python start it."""

import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

READY_WITHIN_S = 60  # of five million messages
# Its own keys, and no file of whoever runs this.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
}


class Sandbox:
    """The program. It dies with us, however we end."""

    program: str

    def __init__(self, *options: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        port_file = Path(self._folder.name, "port")
        self._process = subprocess.Popen([self.program, "--port-file", str(port_file), *options])
        deadline = time.monotonic() + READY_WITHIN_S
        while not port_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.02)
        self.endpoint = f"http://127.0.0.1:{port_file.read_text().strip()}"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def counts(self, queue: str) -> dict[str, str]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.endpoint}/sandbox/counts/{queue}", timeout=30) as answer:
            return dict(line.split(" ", 1) for line in answer.read().decode().splitlines())
