-- SPDX-License-Identifier: Apache-2.0
-- The table that every program fills. Those that drop what comes twice by ON CONFLICT get its key as well.
CREATE TABLE logins (
  message_id       uuid NOT NULL,
  user_id          text NOT NULL,
  masked_ip        text NOT NULL,
  masked_device_id text NOT NULL
);
