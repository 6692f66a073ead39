# SPDX-License-Identifier: Apache-2.0
"""The usual kind: INSERT, commit and DeleteMessage, one message after the other."""

import boto3
import psycopg2
from rows import QUEUE_URL, WAIT_S, row_of

INSERT = "INSERT INTO logins (message_id, user_id, masked_ip, masked_device_id) VALUES (%s, %s, %s, %s)"


def main() -> None:
    sqs = boto3.client("sqs")
    database = psycopg2.connect("")
    while True:
        answer = sqs.receive_message(QueueUrl=QUEUE_URL, MaxNumberOfMessages=10, WaitTimeSeconds=WAIT_S)
        messages = answer.get("Messages", [])
        if not messages:
            return
        for message in messages:
            with database.cursor() as cursor:
                cursor.execute(INSERT, row_of(message))
            database.commit()
            sqs.delete_message(QueueUrl=QUEUE_URL, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    main()
