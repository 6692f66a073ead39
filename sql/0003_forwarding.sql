-- SPDX-License-Identifier: Apache-2.0
-- Which rejections belong in the queue's dead-letter queue: those of loads whose pipeline said so.

ALTER TABLE sluice.rejected_message ADD COLUMN to_forward boolean NOT NULL DEFAULT false;

-- Holds only what is still to be sent, so it stays small.
CREATE INDEX rejected_message_to_forward ON sluice.rejected_message (pipeline, rejected_at)
  WHERE to_forward AND forwarded_at IS NULL;

COMMENT ON COLUMN sluice.rejected_message.to_forward IS
  'To be sent to the dead-letter queue, or sent at forwarded_at';
COMMENT ON COLUMN sluice.rejected_message.sealed_body IS
  'Encrypted under key_id. With sqlstate and without to_forward it is the masked row that Postgres refused, else the message as it came';
