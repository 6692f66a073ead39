-- SPDX-License-Identifier: Apache-2.0
-- Three roles to grant to those who log in. Roles belong to the whole cluster: another database may have made them, or
-- be making them now.

DO $roles$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['sluice_loader', 'sluice_operator', 'sluice_reader'] LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted);
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;
    END;
  END LOOP;
END
$roles$;

GRANT USAGE ON SCHEMA sluice TO sluice_loader, sluice_operator, sluice_reader;

-- Reading: status.
GRANT SELECT ON
  sluice.migration, sluice.identity, sluice.run, sluice.loaded_window, sluice.loaded_message, sluice.rejected_message
  TO sluice_loader, sluice_operator, sluice_reader;
GRANT SELECT ON sluice.reveal_audit TO sluice_operator, sluice_reader;

-- Loading: run, and backfill.
GRANT INSERT ON sluice.run, sluice.loaded_window, sluice.loaded_message, sluice.rejected_message
  TO sluice_loader, sluice_operator;
GRANT UPDATE (ended_at, exit_code, stop_reason, summary) ON sluice.run TO sluice_loader, sluice_operator;
GRANT UPDATE (loaded, duplicate, rejected, row_count) ON sluice.loaded_window TO sluice_loader, sluice_operator;
GRANT UPDATE (forwarded_at) ON sluice.rejected_message TO sluice_loader, sluice_operator;
GRANT EXECUTE ON FUNCTION sluice.add_days(date, date) TO sluice_loader, sluice_operator;

-- Operating: replay and reveal.
GRANT UPDATE (replayed_at) ON sluice.rejected_message TO sluice_operator;
GRANT INSERT ON sluice.reveal_audit TO sluice_operator;
