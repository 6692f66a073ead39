#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A private Postgres cluster for tests and for trying things out.
#
#   postgres.sh start ENVFILE [--owner PID [--durable]]
#                                              makes it, writes ENVFILE and returns when it answers
#   postgres.sh stop ENVFILE                   stops it and removes all of it
#   postgres.sh halt ENVFILE fast|immediate    stops its server; all of it stays
#   postgres.sh resume ENVFILE                 starts that server again and returns when it answers
#   postgres.sh follow ENVFILE PORT PID WORD   makes a standby of the cluster behind PORT, whose password is WORD
#
# ENVFILE gets KEY=value lines: PGHOST (127.0.0.1), PGPORT, PGUSER, PGPASSWORD, PGDATABASE for TCP with a password, and
# SLUICE_POSTGRES_SOCKET (a folder: PGHOST for a connection without one), SLUICE_POSTGRES_DATA and
# SLUICE_POSTGRES_WATCHDOG. The cluster goes when ENVFILE is stopped, or when process PID ends, however it ends. PID is
# by default the parent of whoever called this script: `make`, when called from a recipe. A start with the ENVFILE of a
# cluster that was left behind removes that one first.
#
# Durability (fsync) is off unless asked for, the protocol is whole. Server programs: $SLUICE_POSTGRES_BIN, the newest
# of /usr/lib/postgresql, or the PATH.
set -eu

die() {
  echo "postgres.sh: $1" >&2
  exit 69
}

find_programs() {
  if [ -n "${SLUICE_POSTGRES_BIN:-}" ]; then echo "$SLUICE_POSTGRES_BIN" && return; fi
  newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [ -n "$newest" ] || newest=$(command -v initdb) || die "no initdb; install the package postgresql"
  dirname "$newest"
}

# initdb refuses root, so root becomes the user postgres, in a folder which that user may enter.
as_postgres() (
  cd /
  if [ "$(id -u)" != 0 ]; then
    "$@"
  elif command -v runuser >/dev/null; then
    runuser -u postgres -- "$@"
  else
    setpriv --reuid=postgres --regid=postgres --init-groups "$@"
  fi
)

value_of() {
  sed -n "s/^$1=//p" "$2"
}

free_port() {
  python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Outlives us, in a session of its own so that no signal to the owner's group ends it first.
watch_over() {
  # shellcheck disable=SC2016
  setsid sh -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec "$2" stop "$3"' \
    watchdog "$1" "$2" "$3" </dev/null >/dev/null 2>&1 &
  echo $!
}

make_folder() {
  folder=$(mktemp -d "${TMPDIR:-/tmp}/sluice-pg-XXXXXX")
  trap 'rm -rf "$folder"' EXIT
  [ ${#folder} -lt 80 ] || die "$folder: too long for a socket; set TMPDIR"
  port=$(free_port)
  [ "$(id -u)" != 0 ] || chown postgres "$folder"
}

# Of the server whose folder holds data/.
run_server() {
  as_postgres "$programs/pg_ctl" -D "$1/data" -l "$1/server.log" -w -t 60 start </dev/null >/dev/null 2>&1 ||
    die "the server did not start: $(tail -n 3 "$1/server.log" 2>/dev/null | tr '\n' ' ')"
}

# Ends the making of the cluster in $folder.
write_env() {
  (
    umask 077
    cat >"$1" <<ENV
PGHOST=127.0.0.1
PGPORT=$port
PGUSER=postgres
PGPASSWORD=$password
PGDATABASE=postgres
SLUICE_POSTGRES_SOCKET=$folder
SLUICE_POSTGRES_DATA=$folder/data
ENV
  )
  echo "SLUICE_POSTGRES_WATCHDOG=$(watch_over "$2" "$0" "$1")" >>"$1"
  trap - EXIT
}

start() {
  programs=$(find_programs)
  stop "$1"
  make_folder
  password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && echo "$password" >"$folder/password")
  [ "$(id -u)" != 0 ] || chown postgres "$folder/password"

  as_postgres "$programs/initdb" -D "$folder/data" -U postgres -E UTF8 --locale=C.UTF-8 --no-sync \
    --auth-local=trust --auth-host=scram-sha-256 --pwfile="$folder/password" >"$folder/log" 2>&1 ||
    die "initdb failed: $(tail -n 3 "$folder/log" | tr '\n' ' ')"
  as_postgres tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$folder'
max_connections = 100
shared_buffers = 64MB
fsync = ${3:-off}
full_page_writes = ${3:-off}
log_min_messages = warning
CONF
  run_server "$folder"
  write_env "$1" "$2"
}

follow() {
  programs=$(find_programs)
  password=$4
  make_folder
  as_postgres env "PGPASSWORD=$password" "$programs/pg_basebackup" -D "$folder/data" -h 127.0.0.1 -p "$2" -U postgres \
    -R -X stream --checkpoint=fast --no-sync >"$folder/log" 2>&1 ||
    die "pg_basebackup failed: $(tail -n 3 "$folder/log" | tr '\n' ' ')"
  # The last line of a name counts.
  as_postgres tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
port = $port
unix_socket_directories = '$folder'
wal_retrieve_retry_interval = 100ms
CONF
  run_server "$folder"
  write_env "$1" "$3"
}

stop() {
  [ -e "$1" ] || return 0
  data=$(value_of SLUICE_POSTGRES_DATA "$1")
  watchdog=$(value_of SLUICE_POSTGRES_WATCHDOG "$1")
  rm -f "$1"
  if [ -d "$data" ]; then
    as_postgres "$(find_programs)/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$(dirname "$data")"
  fi
  # The watchdog itself comes through here when it does its work.
  [ "$watchdog" = $$ ] || kill "$watchdog" 2>/dev/null || true
}

data_of() {
  value_of SLUICE_POSTGRES_DATA "$1"
}

here=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
[ "$here" = "$0" ] || exec "$here" "$@"

case "${1:-} $#" in
  "start 2") start "$(realpath -m "$2")" "$(ps -o ppid= -p $PPID | tr -d ' ')" ;;
  "start 4" | "start 5")
    [ "$3" = --owner ] || die "unknown option $3"
    [ "${5:---durable}" = --durable ] || die "unknown option $5"
    start "$(realpath -m "$2")" "$4" "${5:+on}"
    ;;
  "stop 2") stop "$(realpath -m "$2")" ;;
  "halt 3") as_postgres "$(find_programs)/pg_ctl" -D "$(data_of "$2")" -m "$3" -w -t 60 stop >/dev/null ;;
  "resume 2") programs=$(find_programs) && run_server "$(dirname "$(data_of "$2")")" ;;
  "follow 5") follow "$(realpath -m "$2")" "$3" "$4" "$5" ;;
  *)
    sed -n 's/^#   //p' "$0" >&2
    exit 64
    ;;
esac
