-- SPDX-License-Identifier: Apache-2.0
-- What `sluice` keeps in Postgres beside the rows themselves. README.md explains it.

CREATE SCHEMA sluice;
COMMENT ON SCHEMA sluice IS 'Bookkeeping of sluice: what was loaded, what was rejected, and by which run';

CREATE TABLE sluice.migration (
  version    integer     PRIMARY KEY,
  name       text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sluice.migration IS 'The numbered migrations that made this schema';

CREATE TABLE sluice.identity (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  id       uuid    NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO sluice.identity DEFAULT VALUES;
COMMENT ON TABLE sluice.identity IS 'Tells this database from another one: a checkpoint belongs to one of them';

CREATE TABLE sluice.run (
  run_id      uuid        PRIMARY KEY,
  pipeline    text        NOT NULL,
  run_group   text        NOT NULL,
  worker      text        NOT NULL,
  started_at  timestamptz NOT NULL,
  ended_at    timestamptz,
  exit_code   integer,
  stop_reason text,
  summary     jsonb
);
CREATE INDEX run_started_at ON sluice.run (started_at);
COMMENT ON TABLE sluice.run IS 'One row a run; without ended_at it is still running or was killed';

CREATE TABLE sluice.loaded_window (
  window_id      uuid        PRIMARY KEY,
  pipeline       text        NOT NULL,
  run_id         uuid        NOT NULL,
  loaded_at      timestamptz NOT NULL DEFAULT now(),
  messages       bigint      NOT NULL,
  loaded         bigint      NOT NULL,
  duplicate      bigint      NOT NULL,
  rejected       bigint      NOT NULL,
  row_count      bigint      NOT NULL,
  digest         bytea       NOT NULL,
  oldest_sent_at timestamptz NOT NULL,
  newest_sent_at timestamptz NOT NULL,
  CHECK (loaded + duplicate + rejected = messages)
);
CREATE INDEX loaded_window_loaded_at ON sluice.loaded_window (loaded_at);
COMMENT ON TABLE sluice.loaded_window IS
  'One row a transaction: a window is loaded if and only if its id is here. Sums over it are exact. Never prune it';
COMMENT ON COLUMN sluice.loaded_window.run_id IS
  'The run that loaded it; no foreign key, because a window must load even when the run could not be recorded';
COMMENT ON COLUMN sluice.loaded_window.digest IS 'SHA-256 of the contents: the same id with another digest is another window';

CREATE TABLE sluice.loaded_message (
  sent_at    timestamptz NOT NULL,
  message_id uuid        NOT NULL,
  pipeline   text        NOT NULL,
  -- Time first: inserts stay at the right edge of the index, whatever a day holds. Loaders sort by it.
  PRIMARY KEY (sent_at, message_id, pipeline)
) PARTITION BY RANGE (sent_at);
COMMENT ON TABLE sluice.loaded_message IS
  'The ledger: every message loaded or rejected. A message that comes again is dropped because it is here';

CREATE TABLE sluice.rejected_message (
  rejection_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message_id    uuid        NOT NULL,
  pipeline      text        NOT NULL,
  sent_at       timestamptz NOT NULL,
  rejected_at   timestamptz NOT NULL DEFAULT now(),
  reason        text        NOT NULL,
  field         text,
  detail        text,
  sqlstate      text,
  receive_count integer     NOT NULL,
  sealed_body   bytea       NOT NULL,
  key_id        text        NOT NULL,
  forwarded_at  timestamptz,
  replayed_at   timestamptz
);
ALTER TABLE sluice.rejected_message ALTER COLUMN sealed_body SET STORAGE EXTERNAL;  -- encrypted: nothing to compress
CREATE INDEX rejected_message_message_id ON sluice.rejected_message (message_id);
CREATE INDEX rejected_message_rejected_at ON sluice.rejected_message (pipeline, rejected_at);
COMMENT ON TABLE sluice.rejected_message IS
  'Messages that did not become rows, with their bodies sealed; `sluice reveal` opens one, `sluice replay` tries again';
COMMENT ON COLUMN sluice.rejected_message.sealed_body IS
  'Encrypted under key_id. With sqlstate it is the masked row that Postgres refused, else the message as it came';

CREATE TABLE sluice.reveal_audit (
  reveal_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  revealed_at timestamptz NOT NULL DEFAULT now(),
  who         text        NOT NULL,
  what        text        NOT NULL,
  key_id      text        NOT NULL
);
COMMENT ON TABLE sluice.reveal_audit IS 'Who opened what; written before it is opened';

-- Days of the ledger. The loader does not own the ledger, so it borrows the owner's right for exactly this.
CREATE FUNCTION sluice.add_days(from_day date, to_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '30s'
AS $function$
DECLARE
  day_name  text;
  added     integer := 0;
BEGIN
  IF (to_day - from_day BETWEEN 0 AND 400 AND from_day >= date '1970-01-01' AND to_day < date '2200-01-01')
     IS NOT TRUE THEN
    RAISE EXCEPTION 'sluice.add_days takes 1 to 401 days between 1970 and 2199' USING ERRCODE = '22023';
  END IF;
  -- One caller at a time: two would make the same day.
  PERFORM pg_advisory_xact_lock(hashtextextended('sluice.add_days', 0));
  FOR n IN 0 .. to_day - from_day LOOP
    day_name := 'loaded_message_' || to_char(from_day + n, 'YYYYMMDD');
    CONTINUE WHEN EXISTS (
      SELECT FROM pg_inherits
      WHERE inhparent = 'sluice.loaded_message'::regclass AND inhrelid = to_regclass('sluice.' || day_name));
    -- Made apart and then attached: CREATE … PARTITION OF would block every loader behind any reader.
    EXECUTE format('CREATE TABLE sluice.%I (LIKE sluice.loaded_message, PRIMARY KEY (sent_at, message_id, pipeline))',
                   day_name);
    -- The bounds name their zone, so that a day is a day of UTC whatever TimeZone says.
    EXECUTE format('ALTER TABLE sluice.loaded_message ATTACH PARTITION sluice.%I FOR VALUES FROM (%L) TO (%L)', day_name,
                   to_char(from_day + n, 'YYYY-MM-DD') || ' 00:00:00+00',
                   to_char(from_day + n + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
    added := added + 1;
  END LOOP;
  RETURN added;
END
$function$;
COMMENT ON FUNCTION sluice.add_days(date, date) IS 'Adds the missing days of the ledger, both ends included';
REVOKE ALL ON FUNCTION sluice.add_days(date, date) FROM PUBLIC;
