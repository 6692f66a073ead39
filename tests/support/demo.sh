#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The whole way of a message, from a queue to a table, on this machine alone. `make run` runs it.
#
#   demo.sh BUILD        BUILD holds the programs; MESSAGES (10000) says how many messages go through
#
# Leaves nothing behind, and fails when a message was lost, doubled or left in the clear.
set -euo pipefail

build=$(realpath "${1:?usage: demo.sh BUILD}")
cd "$(dirname "$0")/../.."
support=$PWD/tests/support
messages=${MESSAGES:-10000}
[[ $messages =~ ^[1-9][0-9]{0,6}$ ]] || { echo "demo.sh: MESSAGES=$messages: a number from 1 to 9999999" >&2; exit 64; }

work=$(mktemp -d "${TMPDIR:-/tmp}/sluice-demo.XXXXXX")
sandbox=
# shellcheck disable=SC2317  # called by the trap
finish() {
  trap '' INT TERM
  [ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true
  "$support/postgres.sh" stop "$work/postgres.env" || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

section() { printf '\n\033[1m%s\033[0m\n' "$1"; }
[ -t 1 ] || section() { printf '\n%s\n' "$1"; }
value_of() { sed -n "s/^$1 //p" "$2"; }
sql() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
number() { sql -At -c "$1"; }
table() {  # FORMAT HEADING...: the rows of a query on standard input, cells apart by '|'
  local format="  $1\n" cells
  shift
  # shellcheck disable=SC2059
  printf "$format" "$@" && sql -At -F '|' -v body="${body:-}" | while IFS='|' read -r -a cells; do
    printf "$format" "${cells[@]}"
  done
}
shown() {
  printf '\n$ %s\n' "$*"
  "$@" 2>&1 | tee -a "$work/output" | sed 's/^/  /'
}

section "A queue and a Postgres of our own"
"$support/postgres.sh" start "$work/postgres.env" --owner $$
for name in "${!SLUICE_@}" "${!AWS_@}" "${!PG@}"; do unset "$name"; done
set -a
# shellcheck source=/dev/null
. "$work/postgres.env"
set +a

"$build/tests/aws_sandbox" --port-file "$work/port" --fill "logins=$messages" --seed "$RANDOM" --twice 0.005 \
  --expected-file "$work/expected" --clear-file "$work/clear" &
sandbox=$!
until [ -s "$work/port" ]; do
  kill -0 "$sandbox" 2>/dev/null || { echo "demo.sh: the sandbox did not start" >&2; exit 69; }
  sleep 0.05
done
endpoint=http://127.0.0.1:$(<"$work/port")
from_queue() { curl -fsS --noproxy '*' "$endpoint/sandbox/$1"; }

# The keys are the sandbox's own; no file or service of the real AWS is asked.
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY \
  AWS_ENDPOINT_URL_SQS=$endpoint AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true \
  AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export SLUICE_PIPELINE=$PWD/pipelines/user_logins/pipeline.json SLUICE_KEYRING=$work/keyring.json \
  SLUICE_CHECKPOINT=$work/checkpoint.db SLUICE_LOG_FORMAT=text PATH="$build:$PATH"
printf '  %-10s %s\n' queue "$endpoint, $messages messages" Postgres "127.0.0.1:$PGPORT" \
  pipeline "${SLUICE_PIPELINE#"$PWD/"}" keyring "$SLUICE_KEYRING" checkpoint "$SLUICE_CHECKPOINT"

section "As a user would"
shown sluice keygen
shown sluice migrate --with-tables
shown sluice check
shown sluice run

section "A message, and the row that it became"
from_queue "message/login-queue/$(value_of example "$work/expected")" >"$work/example"
body=$(value_of body "$work/example")
table '%-12s  %-37s %-17s %s' field 'in the queue' column 'in Postgres' <<'SQL'
select field, coalesce(m ->> field, case when field is not null then 'null' end), column_name,
       case when length(r ->> column_name) = 64 then left(r ->> column_name, 36) || '…'
            else coalesce(r ->> column_name, 'null') end
  from (select :'body'::jsonb as m) message,
       (select to_jsonb(t) as r from public.user_logins t where user_id = :'body'::jsonb ->> 'user_id') as loaded,
       (values (1, 'user_id', 'user_id'), (2, 'app_version', 'app_version'), (3, 'device_type', 'device_type'),
               (4, 'ip', 'masked_ip'), (5, 'locale', 'locale'), (6, 'device_id', 'masked_device_id'),
               (7, null, 'create_date')) as names (place, field, column_name)
 order by place;
SQL

section "The summary of that run"
table '%-12s %9s' count messages <<'SQL'
select name, summary -> 'counts' ->> name
  from (select summary from sluice.run order by started_at desc limit 1) run,
       unnest(array['received', 'carried_in', 'loaded', 'duplicate', 'rejected', 'returned', 'carried_out', 'deleted'])
       with ordinality as names (name, place)
 order by place;
SQL

section "Rejections"
table '%-18s %-12s %9s' reason field messages <<'SQL'
select reason, field, count(*) from sluice.rejected_message group by 1, 2 order by 3 desc, 1, 2;
SQL

shown sluice run

section "Proof"
from_queue counts/login-queue >"$work/counts"
failed=0
prove() {
  if [ "$2" = "$3" ]; then
    printf '  %-62s %9s  ok\n' "$1" "$3"
  else
    printf '  %-62s %9s  WRONG, must be %s\n' "$1" "$3" "$2"
    failed=1
  fi
}
good=$(value_of good "$work/expected")
prove "messages sent" "$messages" "$(value_of sent "$work/counts")"
prove "left in the queue" 0 "$(value_of left "$work/counts")"
prove "rows in Postgres, one for each good message" "$good" "$(number 'select count(*) from public.user_logins')"
prove "different users in them: nothing doubled" "$good" "$(number 'select count(distinct user_id) from public.user_logins')"
prove "rejected, each of the bad ones" "$((messages - good))" "$(number 'select count(*) from sluice.rejected_message')"
grep -vE '^(good|example) ' "$work/expected" | sort >"$work/reasons" || true
sql -At -F ' ' -c 'select reason, count(*) from sluice.rejected_message group by 1' | sort >"$work/rejected"
prove "reasons other than those they were made for" 0 "$(comm -3 "$work/reasons" "$work/rejected" | wc -l)"
prove "in the ledger, once each" "$messages" "$(number 'select count(*) from sluice.loaded_message')"
prove "received by the second run" 0 \
  "$(number "select summary -> 'counts' ->> 'received' from sluice.run order by started_at desc limit 1")"
prove "requests that AWS would have refused" 0 "$(value_of problems "$work/counts")"

# Of ten thousand messages at most: what searches for many words at once needs memory for each.
# An address that was mapped into IPv6 would leak as the IPv4 address it is.
head -n 20000 "$work/clear" | sed 's/^::ffff://' >"$work/words"
sql -At >"$work/dump" <<'SQL'
select format('copy (select * from %I.%I) to stdout', schemaname, tablename) from pg_tables
 where schemaname in ('public', 'sluice') \gexec
SQL
found=$(cat "$work/dump" "$work/output" "$work"/checkpoint.db* | grep -aFc -f "$work/words" || true)
prove "lines with an address or device id, in any table, file or log" 0 "$found"
prove "  while the search finds those of a message" 1 "$(grep -aFc -f "$work/words" <<<"$body" || true)"

duplicates=$(($(value_of deliveries "$work/counts") - messages))
printf '\n  %s of them were delivered twice, and nothing is left on this machine.\n' "$duplicates"
exit "$failed"
