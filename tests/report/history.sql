-- SPDX-License-Identifier: Apache-2.0
-- Hourly runs of a pipeline that never were: :runs of them, by the worker :'worker', and rejections of their time.

WITH hour AS (
  SELECT n, timestamptz '2025-09-28 00:07:00+00' + n * interval '1 hour' AS began,
         (6000 + 4500 * sin(n * pi() / 12))::integer AS loaded,
         CASE WHEN n % 701 = 300 THEN 75 WHEN n % 997 = 500 THEN 65 WHEN n % 1301 = 700 THEN 143 ELSE 0 END AS status
    FROM generate_series(1, :runs) AS n
)
INSERT INTO sluice.run
SELECT gen_random_uuid(), :'pipeline', '', :'worker', began, began + interval '20 seconds', status, 'drained',
       jsonb_build_object(
         'status', CASE status WHEN 0 THEN 'ok' WHEN 65 THEN 'rejections' WHEN 143 THEN 'interrupted' ELSE 'failed' END,
         'duration_s', 20.5, 'oldest_message_age_s', 3300 + n % 600, 'queue_after', jsonb_build_object('visible', 0),
         'counts', jsonb_build_object('received', loaded + 7, 'loaded', loaded, 'duplicate', n % 5,
                                      'rejected', 7 - n % 5, 'rows', jsonb_build_object('public.user_logins', loaded)),
         'stages', jsonb_build_object('receive', 4.5, 'decode', 0.5, 'validate', 0.25, 'mask', 2, 'stage', 1.5,
                                      'load', 6, 'delete', 3),
         'error', CASE status WHEN 75 THEN jsonb_build_object('message', :'error') END)
  FROM hour;

INSERT INTO sluice.rejected_message
  (message_id, pipeline, sent_at, rejected_at, reason, field, receive_count, sealed_body, key_id)
SELECT gen_random_uuid(), :'pipeline', began, began, reason, field, 1, '', 'k'
  FROM (SELECT timestamptz '2025-09-28 00:07:00+00' + n * interval '1 hour' AS began
          FROM generate_series(1, :runs, 5) AS n) AS hour,
       (VALUES ('missing-field', 'user_id'), ('missing-field', :'field'), ('not-json', NULL)) AS kind (reason, field);
