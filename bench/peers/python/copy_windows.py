# SPDX-License-Identifier: Apache-2.0
"""An expert's: 16 threads receive and delete, a window of 10,000 is one COPY, a delete that failed is tried again."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import psycopg2
from botocore.config import Config
from rows import QUEUE_URL, WAIT_S, row_of

THREADS = 16
WINDOW = 10_000
BATCH = 10
VISIBILITY_S = 120
COPY = "COPY logins (message_id, user_id, masked_ip, masked_device_id) FROM STDIN"
ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

sqs = boto3.client("sqs", config=Config(max_pool_connections=THREADS))


def receive(batches: Iterator[int]) -> list[dict]:
    """One of the batches after the other, which are shared by the threads, until the queue has no more."""
    held: list[dict] = []
    for _ in batches:
        answer = sqs.receive_message(
            QueueUrl=QUEUE_URL, MaxNumberOfMessages=BATCH, WaitTimeSeconds=WAIT_S, VisibilityTimeout=VISIBILITY_S
        )
        messages = answer.get("Messages", [])
        if not messages:
            break
        held += messages
    return held


def load(database: psycopg2.extensions.connection, messages: list[dict]) -> None:
    lines = ("\t".join(value.translate(ESCAPES) for value in row_of(message)) for message in messages)
    with database, database.cursor() as cursor:
        cursor.copy_expert(COPY, io.StringIO("\n".join(lines) + "\n"))


def delete(messages: list[dict]) -> None:
    entries = [
        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)
    ]
    while entries:
        answer = sqs.delete_message_batch(QueueUrl=QUEUE_URL, Entries=entries)
        failed = {entry["Id"] for entry in answer.get("Failed", []) if not entry["SenderFault"]}
        entries = [entry for entry in entries if entry["Id"] in failed]


def main() -> None:
    database = psycopg2.connect("")
    with ThreadPoolExecutor(THREADS) as threads:
        while True:
            parts = threads.map(receive, [iter(range(WINDOW // BATCH))] * THREADS)
            window = [message for part in parts for message in part]
            if not window:
                return
            load(database, window)
            list(threads.map(delete, (window[at : at + BATCH] for at in range(0, len(window), BATCH))))


if __name__ == "__main__":
    main()
