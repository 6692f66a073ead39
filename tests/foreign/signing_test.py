#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""botocore signs the same requests as we do, and comes to the same bytes.

    signing_test.py SIGN_PROGRAM        SLUICE_SEED=n repeats a run
"""

import datetime
import json
import os
import random
import string
import subprocess
import sys
import unittest
from dataclasses import asdict, dataclass, field
from urllib.parse import quote, urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SEED = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(2**32))
RANDOM_REQUESTS = 2000


@dataclass
class Request:
    origin: str = "https://sqs.us-east-1.amazonaws.com"
    path: str = "/"
    query: str = ""
    method: str = "POST"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""
    wall_ms: int = 1_795_169_220_123  # 2026-11-20T10:07:00.123Z
    region: str = "us-east-1"
    service: str = "sqs"
    access_key: str = "AKIDEXAMPLE"
    secret: str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    token: str = ""


def sign_by_botocore(request: Request) -> dict[str, str]:
    """Its steps one by one: the whole of them would take the time of this moment."""
    moment = datetime.datetime.fromtimestamp(request.wall_ms // 1000, datetime.timezone.utc)
    query = f"?{request.query}" if request.query else ""
    theirs = AWSRequest(request.method, request.origin + request.path + query, data=request.body.encode())
    for name, value in request.headers:
        theirs.headers.add_header(name, value)
    added = {"X-Amz-Date": moment.strftime("%Y%m%dT%H%M%SZ")}
    if request.token:
        added["X-Amz-Security-Token"] = request.token
    for name, value in added.items():
        theirs.headers.add_header(name, value)
    theirs.context["timestamp"] = added["X-Amz-Date"]
    signer = SigV4Auth(
        Credentials(request.access_key, request.secret, request.token or None), request.service, request.region
    )
    headers = signer.headers_to_sign(theirs)
    signature = signer.signature(signer.string_to_sign(theirs, signer.canonical_request(theirs)), theirs)
    added["Host"] = headers["host"]
    added["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(theirs)}, "
        f"SignedHeaders={signer.signed_headers(headers)}, Signature={signature}"
    )
    return added


def edge_cases() -> list[Request]:
    origins = [
        "http://127.0.0.1:4566", "http://localhost:80", "https://localhost:443", "http://example.com:443",
        "https://example.com:80", "http://[::1]:9324", "https://[fd00:ec2::23]", "http://under_score:1",
        "https://SQS.EU-West-1.Amazonaws.Com", "https://sqs.cn-north-1.amazonaws.com.cn",
    ]  # fmt: skip
    paths = [
        "/", "/000000000000/login-queue", "/a/b/", "/a//b", "/a/./b/../c", "/..", "/a%20b", "/%E6%A0%AA",
        "/~user/-._", "/latest/meta-data", "/a+b", "/a=b&c", "/*",
    ]  # fmt: skip
    queries = [
        "", "a", "a=", "a=1&a=0", "b=2&a=1", "A=1&a=2", "a=%20%2B%2F", "key=%E6%A0%AA",
        "Action=GetCallerIdentity&Version=2011-06-15",
    ]  # fmt: skip
    form_body = urlencode({"Action": "AssumeRole", "RoleSessionName": "a b+c/=", "Policy": '{"x": 1}'})
    bodies = ["", "{}", " ", "\x00", "Zoë 株式会社 😀", "x" * (1 << 20), "\r\n", form_body]
    headers = [
        [],
        [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", "AmazonSQS.ReceiveMessage")],
        [("X-Amz-Note", "  two   spaces  ")],
        [("X-Amz-Note", "")],
        [("My-Header", "b"), ("My-Header", "a")],
        [("x-AMZ-a-b", "1"), ("X-Amz-A", "2")],
        [("User-Agent", "sluice"), ("Expect", "100-continue"), ("X-Amzn-Trace-Id", "Root=1")],
        [("x-amzn-query-mode", "true")],
    ]
    # The first second, leap days, the ends of a year, and of the century.
    moments = [0, 951_782_400_000, 1_709_251_199_999, 1_735_689_599_999, 1_735_689_600_000, 4_102_444_799_000]
    tokens = ["token/with+signs==", "x" * 2000]
    form = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    return [
        *(Request(origin=origin) for origin in origins),
        *(Request(path=path) for path in paths),
        *(Request(query=query, method="GET") for query in queries),
        *(Request(body=body) for body in bodies),
        *(Request(headers=some) for some in headers),
        *(Request(wall_ms=moment) for moment in moments),
        *(Request(token=token) for token in tokens),
        *(Request(service="sts", headers=form, body=body, token=token) for body in bodies for token in ["", *tokens]),
        Request(secret="spaced secret"),
        Request(region="us-gov-west-1"),
        Request(access_key="ASIA" + "X" * 124),
    ]


def random_request(draw: random.Random) -> Request:
    def text(alphabet: str, most: int) -> str:
        return "".join(draw.choices(alphabet, k=draw.randint(1, most)))

    name = string.ascii_letters + string.digits + "-"
    anything = string.printable.strip() + " äß株式😀\t\n"
    host = draw.choice(["localhost", "[::1]", f"{text(string.ascii_letters, 20)}.example"])
    port = draw.choice(["", ":80", ":443", f":{draw.randint(1, 65535)}"])
    parameters = [(text(anything, 8), text(anything, 12)) for _ in range(draw.randint(0, 4))]
    service = draw.choice(["sqs", "sts"])
    if service == "sts":
        body = urlencode([(text(name, 10), text(anything, 60)) for _ in range(draw.randint(1, 6))])
    else:
        body = json.dumps({text(name, 10): text(anything, 200)}, ensure_ascii=draw.random() < 0.5)
    segments = ["/", "/.", "/..", "/" + quote(text(anything, 8))]
    header_text = string.ascii_letters + "  =;/+,"
    return Request(
        origin=f"{draw.choice(['http', 'https'])}://{host}{port}",
        path="".join(draw.choices(segments, k=draw.randint(1, 5))),
        query="&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in parameters),
        method=draw.choice(["GET", "POST", "PUT"]),
        headers=[(f"X-Amz-{text(name, 12)}", text(header_text, 30)) for _ in range(draw.randint(0, 4))],
        body=body,
        wall_ms=draw.randrange(4_102_444_800_000),
        region=draw.choice(["us-east-1", "eu-central-1", "eusc-de-east-1"]),
        service=service,
        access_key=text(string.ascii_uppercase + string.digits, 128),
        secret=text(string.ascii_letters + string.digits + "/+", 40),
        token=draw.choice(["", text(string.ascii_letters + "/+=", 1500)]),
    )


class SigningTest(unittest.TestCase):
    program: str

    def test_we_sign_as_botocore_does(self) -> None:
        draw = random.Random(SEED)
        requests = edge_cases() + [random_request(draw) for _ in range(RANDOM_REQUESTS)]
        lines = "".join(json.dumps(asdict(request)) + "\n" for request in requests)
        ours = subprocess.run([self.program], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
        answers = ours.decode().splitlines()
        self.assertEqual(len(answers), len(requests))
        for request, answer in zip(requests, answers):
            with self.subTest(request):
                self.assertEqual(json.loads(answer), sign_by_botocore(request))


if __name__ == "__main__":
    SigningTest.program = sys.argv.pop(1)
    print(f"SLUICE_SEED={SEED}", flush=True)
    unittest.main()
