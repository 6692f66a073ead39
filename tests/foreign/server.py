#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers by others, on a free port of 127.0.0.1.

    server.py start elasticmq|moto CACHE ENVFILE   writes ENVFILE and returns when the server answers
    server.py stop ENVFILE                         stops it

CACHE is what tests/support/foreign.sh filled; without the part that is needed, 77 is the answer. ENVFILE gets KEY=value
lines. The server goes when ENVFILE is stopped, or when whoever called `start` ends, however it ends: a keeper process
looks after it, and the kernel after the keeper. moto checks every signature, and knows one pair of keys.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree
from pathlib import Path

READY_WITHIN_S = 60
STOPPED_WITHIN_S = 10
SKIPPED = 77
REGION = "us-east-1"

# Proxies of the environment are not for loopback.
http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def elasticmq_command(cache: Path, port: int) -> list[str]:
    settings = {
        "node-address.protocol": "http",
        "node-address.host": "127.0.0.1",
        "node-address.port": port,
        "rest-sqs.bind-hostname": "127.0.0.1",
        "rest-sqs.bind-port": port,
        "rest-sqs.sqs-limits": "strict",
        "rest-stats.enabled": "false",
        "aws.region": REGION,
    }
    java = ["java", "-Xmx512m", *(f"-D{key}={value}" for key, value in settings.items())]
    return [*java, "-cp", f"{cache}/elasticmq/*", "org.elasticmq.server.Main"]


def moto_command(cache: Path, port: int) -> list[str]:
    python = str(cache / "python" / "bin" / "python")
    return [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]


def call_iam(endpoint: str, action: str, **parameters: str) -> xml.etree.ElementTree.Element:
    """moto chooses the service by the scope of the signature, which it does not check yet."""
    scope = f"Credential=none/20260101/{REGION}/iam/aws4_request"
    request = urllib.request.Request(
        endpoint,
        urllib.parse.urlencode({"Action": action, "Version": "2010-05-08", **parameters}).encode(),
        {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=none"},
    )
    with http.open(request, timeout=30) as answer:
        return xml.etree.ElementTree.fromstring(answer.read())


def make_moto_user(endpoint: str) -> tuple[str, str]:
    """Its first three calls are free; from then on signature and rights are checked."""
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}}
    call_iam(endpoint, "CreateUser", UserName="sluice")
    key = call_iam(endpoint, "CreateAccessKey", UserName="sluice")
    call_iam(endpoint, "PutUserPolicy", UserName="sluice", PolicyName="queues", PolicyDocument=json.dumps(policy))
    return key.findtext(".//{*}AccessKeyId"), key.findtext(".//{*}SecretAccessKey")


COMMANDS = {"elasticmq": elasticmq_command, "moto": moto_command}
PARTS = {"elasticmq": "elasticmq", "moto": "python"}
READY_PATHS = {"elasticmq": "/health", "moto": "/moto-api/"}


def answers(url: str) -> bool:
    try:
        with http.open(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return False
    except OSError:
        return False


def start(name: str, cache: Path, env_file: Path) -> int:
    stop(env_file)
    if not (cache / PARTS[name] / "made-from").exists():
        missing = cache / f"{PARTS[name]}.missing"
        print(missing.read_text() if missing.exists() else f"skipped: {missing.stem} was not fetched")
        return SKIPPED
    endpoint = f"http://127.0.0.1:{(port := free_port())}"
    log = env_file.with_suffix(".log")
    keeper = subprocess.Popen(
        [sys.executable, __file__, "keep", str(os.getppid()), str(log), *COMMANDS[name](cache, port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, env=os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": "3"},
    )
    deadline = time.monotonic() + READY_WITHIN_S
    while not answers(endpoint + READY_PATHS[name]):
        if keeper.poll() is not None or time.monotonic() > deadline:
            keeper.terminate()
            print(f"{name} did not start:", log.read_text()[-2000:])
            return 1
        time.sleep(0.1)
    access_key, secret = make_moto_user(endpoint) if name == "moto" else ("anybody", "anything")
    env_file.write_text(
        f"AWS_ENDPOINT_URL_SQS={endpoint}\nAWS_ACCESS_KEY_ID={access_key}\nAWS_SECRET_ACCESS_KEY={secret}\n"
        f"AWS_REGION={REGION}\nKEEPER={keeper.pid}\n"
    )
    return 0


def runs_keeper(pid: int) -> bool:
    """Another process may have got the pid of a keeper that is long gone."""
    try:
        return Path(__file__).name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def stop(env_file: Path) -> int:
    if not env_file.exists():
        return 0
    pid = int(dict(line.split("=", 1) for line in env_file.read_text().splitlines())["KEEPER"])
    env_file.unlink()
    deadline = time.monotonic() + STOPPED_WITHIN_S
    while runs_keeper(pid):
        os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
        time.sleep(0.1)
    return 0


def die_with_parent() -> None:
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def keep(owner: int, log: Path, command: list[str]) -> int:
    """Runs the server until told to stop, or until its owner is gone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, preexec_fn=die_with_parent)
    try:
        while server.poll() is None and is_alive(owner):
            time.sleep(0.5)
    finally:
        server.kill()
        server.wait()
    return server.returncode


def main(arguments: list[str]) -> int:
    match arguments:
        case ["start", name, cache, env_file] if name in COMMANDS:
            return start(name, Path(cache).resolve(), Path(env_file).resolve())
        case ["stop", env_file]:
            return stop(Path(env_file).resolve())
        case ["keep", owner, log, *command]:
            return keep(int(owner), Path(log), command)
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
