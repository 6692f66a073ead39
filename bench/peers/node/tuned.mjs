// SPDX-License-Identifier: Apache-2.0
// 64 consumers meet in one INSERT: what came while one ran is in the next.
import { SQSClient } from "@aws-sdk/client-sqs";
import pg from "pg";
import { Consumer } from "sqs-consumer";
import { insert, queueUrl, waitTimeSeconds } from "./rows.mjs";

const CONSUMERS = 64;

const database = new pg.Client();
await database.connect();
const sqs = new SQSClient({ requestHandler: { httpAgent: { keepAlive: true, maxSockets: CONSUMERS } } });

let waiting = [];
let inserting = false;

async function insertAll() {
  inserting = true;
  await new Promise(setImmediate); // whoever has an answer by now comes along
  while (waiting.length > 0) {
    const together = waiting;
    waiting = [];
    try {
      await insert(database, together.flatMap((one) => one.messages));
      for (const one of together) one.resolve(one.messages);
    } catch (cause) {
      for (const one of together) one.reject(cause);
    }
  }
  inserting = false;
}

function inserted(messages) {
  return new Promise((resolve, reject) => {
    waiting.push({ messages, resolve, reject });
    if (!inserting) insertAll();
  });
}

let running = CONSUMERS;
for (let number = 0; number < CONSUMERS; ++number) {
  const consumer = Consumer.create({
    queueUrl,
    waitTimeSeconds,
    batchSize: 10,
    visibilityTimeout: 120,
    sqs,
    handleMessageBatch: inserted,
  });
  for (const error of ["error", "processing_error"]) consumer.on(error, (cause) => console.error(cause.message));
  consumer.on("empty", () => consumer.stop());
  consumer.on("stopped", () => {
    if (--running === 0) database.end();
  });
  consumer.start();
}
