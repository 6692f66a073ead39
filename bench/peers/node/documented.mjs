// SPDX-License-Identifier: Apache-2.0
// As the documentation shows it for batches: one consumer, ten messages, one INSERT.
import pg from "pg";
import { Consumer } from "sqs-consumer";
import { insert, queueUrl, waitTimeSeconds } from "./rows.mjs";

const database = new pg.Client();
await database.connect();

const consumer = Consumer.create({
  queueUrl,
  waitTimeSeconds,
  batchSize: 10,
  handleMessageBatch: async (messages) => {
    await insert(database, messages);
    return messages;
  },
});
for (const error of ["error", "processing_error"]) consumer.on(error, (cause) => console.error(cause.message));
consumer.on("empty", () => consumer.stop());
consumer.on("stopped", () => database.end());
consumer.start();
