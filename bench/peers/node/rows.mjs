// SPDX-License-Identifier: Apache-2.0
// A row from a message, and many of them in one INSERT.
import { createHmac } from "node:crypto";

const key = (name) => Buffer.from(process.env[name], "hex");
const ipKey = key("MASK_KEY_IP");
const deviceIdKey = key("MASK_KEY_DEVICE_ID");
const mask = (secret, value) => createHmac("sha256", secret).update(value).digest("hex");

export const queueUrl = process.env.QUEUE_URL;
export const waitTimeSeconds = Number(process.env.WAIT_SECONDS);

const INSERT = {
  name: "insert",
  text: `INSERT INTO logins (message_id, user_id, masked_ip, masked_device_id)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) ON CONFLICT (message_id) DO NOTHING`,
};

export async function insert(database, messages) {
  const columns = [[], [], [], []];
  for (const message of messages) {
    const body = JSON.parse(message.Body);
    columns[0].push(message.MessageId);
    columns[1].push(body.user_id);
    columns[2].push(mask(ipKey, body.ip));
    columns[3].push(mask(deviceIdKey, body.device_id));
  }
  await database.query({ ...INSERT, values: columns });
}
