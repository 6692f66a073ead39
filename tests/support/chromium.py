# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, for tests in Python: told what to do by the DevTools protocol, over a pipe. It reaches no
network, keeps its files in a folder of its own, and is gone with everything that it started when it is closed.
"""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

ANSWERS_WITHIN_S = 60  # also where four browsers share a processor
ENDS_WITHIN_S = 20
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
NO_NETWORK = ("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9", "--proxy-bypass-list=<-loopback>")
QUIET = (
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--hide-scrollbars",
)


def program() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """One page. Every wait ends after ANSWERS_WITHIN_S with an exception."""

    def __init__(self) -> None:
        found = program()
        assert found, "no Chromium here"
        self._folder = tempfile.TemporaryDirectory(prefix="sluice-chromium-", ignore_cleanup_errors=True)
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        words = [found, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self._folder.name}"]
        words += [*NO_NETWORK, *QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else []), "about:blank"]
        # The browser reads descriptor 3 and writes 4.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "chromium", *words],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HOME": self._folder.name},
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._unread = b""
        self._last_id = 0
        self._session: str | None = None
        self._loaded = False
        self.trouble: list[str] = []  # what scripts threw, what the console complains of
        self.requests: list[str] = []  # every address that was asked for
        try:
            page = self.tell("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.tell("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.tell(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        # It ends by itself when nobody is left to tell it anything.
        os.close(self._out)
        os.close(self._in)
        try:
            self._process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._folder.cleanup()

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Its answer."""
        self._last_id += 1
        order = {"id": self._last_id, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._out, json.dumps(order).encode() + b"\0")
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while (answer := self._next(deadline)).get("id") != self._last_id:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, file: Path, width: int = 1100, height: int = 800, scheme: str = "light", zone: str = "UTC",
             scripts: bool = True) -> None:
        """Shows it as that reader would see it, when it has been loaded."""
        self.trouble.clear()
        self.requests.clear()
        self.resize(width, height)
        self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.tell("Emulation.setTimezoneOverride", timezoneId=zone)
        self.tell("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._loaded = False
        self.tell("Page.navigate", url=file.resolve().as_uri())
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while not self._loaded:
            self._next(deadline)

    def resize(self, width: int, height: int) -> None:
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)

    def value(self, expression: str) -> Any:
        """Of JavaScript, on the page, as JSON; a promise is waited for."""
        answer = self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def screenshot(self, **wishes: Any) -> bytes:
        """A PNG of what is to be seen, or of what `wishes` say in the protocol's words."""
        return base64.b64decode(self.tell("Page.captureScreenshot", **wishes)["data"])

    def _next(self, deadline: float) -> dict[str, Any]:
        """The next message; events are noted on the way."""
        while b"\0" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                raise RuntimeError("Chromium does not answer")
            read = os.read(self._in, 1 << 20)
            if not read:
                raise RuntimeError("Chromium ended")
            self._unread += read
        text, self._unread = self._unread.split(b"\0", 1)
        message = json.loads(text)
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.trouble.append(str(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.trouble.append(str(parameters["entry"]))
        elif method == "Runtime.consoleAPICalled":
            self.trouble.append(str(parameters["args"]))


def colours(png: bytes) -> Counter[bytes]:
    """How many pixels a screenshot has of each colour."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed, header = 8, b"", b""
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        content = png[at + 8 : at + 8 + length]
        header = content if kind == b"IHDR" else header
        packed += content if kind == b"IDAT" else b""
        at += 12 + length
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    channels = {(8, 2): 3, (8, 6): 4}[header[8], header[9]]  # eight bits, with or without alpha
    raw, row = zlib.decompress(packed), width * channels
    counted: Counter[bytes] = Counter()
    above = bytearray(row)
    for y in range(height):
        start = y * (row + 1)
        line = unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + row]), above, channels)
        counted.update(bytes(line[x : x + 3]) for x in range(0, row, channels))
        above = line
    return counted


def unfiltered(kind: int, line: bytearray, above: bytearray, channels: int) -> bytearray:
    """A row of pixels out of its differences to its neighbours: PNG, section 9."""
    for i in range(len(line)):
        left = line[i - channels] if i >= channels else 0
        corner = above[i - channels] if i >= channels else 0
        if kind == 1:
            line[i] = (line[i] + left) & 255
        elif kind == 2:
            line[i] = (line[i] + above[i]) & 255
        elif kind == 3:
            line[i] = (line[i] + (left + above[i]) // 2) & 255
        elif kind == 4:
            guess = left + above[i] - corner
            nearest = min((left, above[i], corner), key=lambda each: abs(guess - each))  # the first of equals
            line[i] = (line[i] + nearest) & 255
    return line
