-- SPDX-License-Identifier: Apache-2.0
-- The table of pipeline.json. Run by `sluice migrate --with-tables`; running it again changes nothing.
create table if not exists public.user_logins (
  user_id          varchar(128) not null,
  device_type      varchar(32)  not null,
  masked_ip        varchar(256) not null,
  masked_device_id varchar(256) not null,
  locale           varchar(32),
  app_version      integer      not null,
  create_date      date
);
