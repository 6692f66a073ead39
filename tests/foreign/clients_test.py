#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AWS's own clients talk to our sandbox and notice nothing: what they believe may judge our client too.

    clients_test.py AWS_SANDBOX_PROGRAM
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from sandbox import ENVIRONMENT, Sandbox

MEBIBYTE = 1 << 20


class BotoSandbox(Sandbox):
    def client(self, attempts: int = 1, secret: str = ENVIRONMENT["AWS_SECRET_ACCESS_KEY"], token: str = "") -> Any:
        return boto3.client(
            "sqs",
            endpoint_url=self.endpoint,
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret,
            aws_session_token=token or None,
        )


def md5_of_attributes(attributes: dict[str, dict[str, Any]]) -> str:
    """As SQS's developer guide describes it."""

    def sized(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    encoded = b""
    for name, attribute in sorted(attributes.items()):
        encoded += sized(name.encode()) + sized(attribute["DataType"].encode())
        if attribute["DataType"].startswith("Binary"):
            encoded += b"\2" + sized(attribute["BinaryValue"])
        else:
            encoded += b"\1" + sized(attribute["StringValue"].encode())
    return hashlib.md5(encoded).hexdigest()


class SandboxTest(unittest.TestCase):
    def start(self, *options: str) -> BotoSandbox:
        sandbox = BotoSandbox(*options)
        self.addCleanup(sandbox.stop)
        return sandbox


class BotoTest(SandboxTest):
    """Nothing here is anything that AWS would refuse."""

    def setUp(self) -> None:
        self.sandbox = self.start("--queue", "orders", "--queue", "orders.fifo")
        self.sqs = self.sandbox.client()
        self.url = self.sqs.get_queue_url(QueueName="orders")["QueueUrl"]

    def tearDown(self) -> None:
        self.assertEqual(self.sandbox.counts("orders")["problems"], "0")

    def send(self, *bodies: str) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
        self.assertEqual(
            {sent["Id"]: sent["MD5OfMessageBody"] for sent in answer["Successful"]},
            {entry["Id"]: hashlib.md5(entry["MessageBody"].encode()).hexdigest() for entry in entries},
        )
        self.assertNotIn("Failed", answer)

    def receive(self, **wishes: Any) -> list[dict[str, Any]]:
        wishes = {"QueueUrl": self.url, "MaxNumberOfMessages": 10} | wishes
        return self.sqs.receive_message(**wishes).get("Messages", [])

    def count(self, name: str) -> int:
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def test_messages_come_as_they_were_sent_and_are_deleted(self) -> None:
        bodies = ["plain", "Zoë 株式会社 😀", '{"json": "\\u0000"}', "tab\tline\r\n", "\u2028 \ufffd \U0010fffd"]
        self.send(*bodies)
        messages = self.receive(MessageSystemAttributeNames=["All"])
        self.assertEqual(sorted(message["Body"] for message in messages), sorted(bodies))
        for message in messages:
            self.assertEqual(message["MD5OfBody"], hashlib.md5(message["Body"].encode()).hexdigest())
            self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "1")
            self.assertLess(abs(int(message["Attributes"]["SentTimestamp"]) / 1000 - time.time()), 300)
        self.assertEqual(self.count("ApproximateNumberOfMessagesNotVisible"), len(bodies))
        entries = [{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in messages]
        answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        self.assertEqual(len(answer["Successful"]), len(bodies))
        self.assertEqual(self.sandbox.counts("orders")["left"], "0")

    def test_attributes_are_chosen_and_have_the_digest_of_what_was_chosen(self) -> None:
        attributes = {
            "source": {"DataType": "String", "StringValue": "wé"},
            "source.bytes": {"DataType": "Binary", "BinaryValue": b"\x00\x01\xff"},
            "weight": {"DataType": "Number.kg", "StringValue": "1.5"},
        }
        sent = self.sqs.send_message(QueueUrl=self.url, MessageBody="x", MessageAttributes=attributes)
        self.assertEqual(sent["MD5OfMessageAttributes"], md5_of_attributes(attributes))
        chosen = [(["All"], set(attributes)), (["weight"], {"weight"}), (["source.*"], {"source.bytes"}), ([], set())]
        for asked, expected in chosen:
            with self.subTest(asked):
                [message] = self.receive(MessageAttributeNames=asked, VisibilityTimeout=0)
                got = message.get("MessageAttributes", {})
                self.assertEqual(got, {name: attributes[name] for name in expected})
                self.assertEqual(message.get("MD5OfMessageAttributes"), md5_of_attributes(got) if got else None)

    def test_an_empty_answer_has_no_messages_at_all(self) -> None:
        for wait_s in (0, 1):
            self.assertNotIn("Messages", self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=wait_s))

    def test_a_long_poll_ends_with_the_first_message(self) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody="later", DelaySeconds=1)
        self.assertEqual(self.count("ApproximateNumberOfMessagesDelayed"), 1)
        self.assertEqual([message["Body"] for message in self.receive(WaitTimeSeconds=20)], ["later"])

    def test_visibility_is_changed_one_by_one_and_in_batches(self) -> None:
        self.send("a", "b")
        first, second = self.receive(VisibilityTimeout=600)
        self.sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0
        )
        [again] = self.receive(VisibilityTimeout=600, MessageSystemAttributeNames=["ApproximateReceiveCount"])
        self.assertEqual(again["MessageId"], first["MessageId"])
        self.assertEqual(again["Attributes"], {"ApproximateReceiveCount": "2"})
        entries = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
            for number, handle in enumerate([again["ReceiptHandle"], second["ReceiptHandle"], first["ReceiptHandle"]])
        ]
        answer = self.sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
        self.assertEqual([done["Id"] for done in answer["Successful"]], ["0", "1"])
        self.assertEqual([(failed["Id"], failed["SenderFault"]) for failed in answer["Failed"]], [("2", True)])
        self.assertEqual(len(self.receive()), 2)

    def test_one_bad_entry_leaves_the_others_alone(self) -> None:
        self.send("a", "b")
        good, better = (message["ReceiptHandle"] for message in self.receive())
        entries = [{"Id": f"e-{n}", "ReceiptHandle": handle} for n, handle in enumerate([good, "made up", better])]
        answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        self.assertEqual([done["Id"] for done in answer["Successful"]], ["e-0", "e-2"])
        [failed] = answer["Failed"]
        self.assertEqual((failed["Id"], failed["Code"], failed["SenderFault"]), ("e-1", "ReceiptHandleIsInvalid", True))

    def test_errors_arrive_as_the_exceptions_of_the_model(self) -> None:
        exceptions = self.sqs.exceptions
        with self.assertRaises(exceptions.QueueDoesNotExist) as caught:
            self.sqs.get_queue_url(QueueName="nowhere")
        # As botocore names it for clients that still speak the older protocol.
        self.assertEqual(caught.exception.response["Error"]["Code"], "AWS.SimpleQueueService.NonExistentQueue")
        self.assertEqual(caught.exception.response["Error"]["Type"], "Sender")
        self.assertIn("RequestId", caught.exception.response["ResponseMetadata"])
        with self.assertRaises(exceptions.ReceiptHandleIsInvalid):
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle="made up")
        self.send("a")
        [message] = self.receive(VisibilityTimeout=0)
        with self.assertRaises(exceptions.MessageNotInflight):
            self.sqs.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=1
            )
        with self.assertRaises(exceptions.EmptyBatchRequest):
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=[])

    def test_a_body_has_a_mebibyte(self) -> None:
        for body in ("x" * MEBIBYTE, "😀" * (MEBIBYTE // 4)):
            self.send(body)
            [message] = self.receive()
            self.assertTrue(message["Body"] == body)

    def test_a_fifo_queue_keeps_its_order_and_knows_what_it_has_seen(self) -> None:
        self.url = self.sqs.get_queue_url(QueueName="orders.fifo")["QueueUrl"]
        entries = [
            {"Id": str(n), "MessageBody": str(n), "MessageGroupId": "ab"[n % 2], "MessageDeduplicationId": str(n)}
            for n in range(8)
        ]
        sent = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)["Successful"]
        sequences = [int(one["SequenceNumber"]) for one in sent]
        self.assertEqual(sequences, sorted(sequences))
        self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)  # again, and no more
        attempt = {"MessageSystemAttributeNames": ["All"], "ReceiveRequestAttemptId": "attempt"}
        first = self.receive(MaxNumberOfMessages=4, **attempt)
        self.assertEqual([message["Body"] for message in first], ["0", "2", "4", "6"])
        self.assertEqual({message["Attributes"]["MessageGroupId"] for message in first}, {"a"})
        again = self.receive(MaxNumberOfMessages=4, **attempt)
        self.assertEqual([m["ReceiptHandle"] for m in again], [m["ReceiptHandle"] for m in first])
        self.assertEqual([message["Body"] for message in self.receive()], ["1", "3", "5", "7"])
        self.assertEqual(self.receive(), [])


class FaultsTest(SandboxTest):
    """What the program's options make happen, as AWS's client sees it."""

    def code_of(self, sqs: Any) -> str:
        with self.assertRaises(ClientError) as caught:
            sqs.receive_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/000000000000/login-queue")
        return caught.exception.response["Error"]["Code"]

    def test_errors_that_pass_are_retried(self) -> None:
        sandbox = self.start(
            "--fill=logins=1",
            "--fault=ReceiveMessage calls=1 status=503 html=<html>busy</html>",
            "--fault=ReceiveMessage calls=1 status=400 code=ThrottlingException retry-after=1",
            "--fault=ReceiveMessage calls=1 drop=before",
            "--fault=ReceiveMessage trickle=1",
        )
        url = sandbox.client().get_queue_url(QueueName="login-queue")["QueueUrl"]
        self.assertEqual(len(sandbox.client(attempts=4).receive_message(QueueUrl=url)["Messages"]), 1)
        self.assertEqual(sandbox.counts("login-queue")["calls.ReceiveMessage"], "4")

    def test_codes_are_those_that_were_asked_for(self) -> None:
        sandbox = self.start("--fault=* calls=1 status=403 code=ExpiredToken", "--fault=* status=403 code=AccessDenied")
        self.assertEqual([self.code_of(sandbox.client()) for _ in range(2)], ["ExpiredToken", "AccessDenied"])

    def test_a_wrong_secret_and_a_missing_token_are_refused(self) -> None:
        self.assertEqual(self.code_of(self.start().client(secret="another")), "SignatureDoesNotMatch")
        sandbox = self.start("--session-token", "TOKEN")
        self.assertEqual(self.code_of(sandbox.client()), "InvalidClientTokenId")
        self.assertIn("QueueUrl", sandbox.client(token="TOKEN").get_queue_url(QueueName="login-queue"))

    def test_a_clock_that_is_wrong_is_told(self) -> None:
        self.assertEqual(self.code_of(self.start("--clock-skew", "3600").client()), "RequestTimeTooSkewed")

    def test_a_queue_of_another_account_needs_its_owner(self) -> None:
        sqs = self.start("--account", "111122223333").client()
        with self.assertRaises(sqs.exceptions.QueueDoesNotExist):
            sqs.get_queue_url(QueueName="login-queue")
        url = sqs.get_queue_url(QueueName="login-queue", QueueOwnerAWSAccountId="111122223333")["QueueUrl"]
        self.assertIn("/111122223333/", url)
        self.assertNotIn("Messages", sqs.receive_message(QueueUrl=url))

    def test_what_is_received_too_often_goes_to_the_dead_letters(self) -> None:
        sqs = self.start("--queue=orders", "--queue=dead", "--max-receive-count=1", "--fill=logins=1").client()
        url, dead = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("orders", "dead"))
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
        self.assertEqual(json.loads(policy)["maxReceiveCount"], 1)
        self.assertEqual(len(sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]), 1)
        self.assertNotIn("Messages", sqs.receive_message(QueueUrl=url))
        self.assertEqual(len(sqs.receive_message(QueueUrl=dead)["Messages"]), 1)

    def test_options_that_mean_nothing_end_the_program(self) -> None:
        for option in ("--fault=Receive", "--fault=* often", "--max-receive-count=1", "--fill=x"):
            with self.subTest(option), tempfile.TemporaryDirectory() as folder:
                command = [Sandbox.program, f"--port-file={folder}/port", option]
                self.assertEqual(subprocess.run(command, stderr=subprocess.DEVNULL, timeout=30).returncode, 64)


@unittest.skipUnless(importlib.util.find_spec("awscli"), "this Python has no awscli")
class CommandLineTest(SandboxTest):
    def aws(self, sandbox: Sandbox, *words: str) -> Any:
        command = [sys.executable, "-m", "awscli", "sqs", *words, "--endpoint-url", sandbox.endpoint]
        output = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120).stdout
        return json.loads(output) if output.strip() else None

    def test_a_message_is_sent_received_and_deleted_by_hand(self) -> None:
        sandbox = self.start("--queue", "orders")
        [url] = self.aws(sandbox, "get-queue-url", "--queue-name", "orders").values()
        queue = ["--queue-url", url]
        self.aws(sandbox, "send-message", *queue, "--message-body", "Zoë 😀")
        [message] = self.aws(sandbox, "receive-message", *queue, "--wait-time-seconds", "1")["Messages"]
        self.assertEqual(message["Body"], "Zoë 😀")
        self.aws(sandbox, "delete-message", *queue, "--receipt-handle", message["ReceiptHandle"])
        counts = self.aws(sandbox, "get-queue-attributes", *queue, "--attribute-names", "All")["Attributes"]
        self.assertEqual(counts["ApproximateNumberOfMessages"], "0")
        self.assertEqual(sandbox.counts("orders")["problems"], "0")


if __name__ == "__main__":
    Sandbox.program = sys.argv.pop(1)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT | {"AWS_DEFAULT_OUTPUT": "json"})
    unittest.main()
