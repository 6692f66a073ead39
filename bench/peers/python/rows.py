# SPDX-License-Identifier: Apache-2.0
"""A row from a message."""

import hashlib
import hmac
import json
import os

IP_KEY = bytes.fromhex(os.environ["MASK_KEY_IP"])
DEVICE_ID_KEY = bytes.fromhex(os.environ["MASK_KEY_DEVICE_ID"])
QUEUE_URL = os.environ["QUEUE_URL"]
WAIT_S = int(os.environ["WAIT_SECONDS"])


def mask(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode(), hashlib.sha256).hex()


def row_of(message: dict) -> tuple[str, str, str, str]:
    body = json.loads(message["Body"])
    return message["MessageId"], body["user_id"], mask(IP_KEY, body["ip"]), mask(DEVICE_ID_KEY, body["device_id"])
