#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What strangers wrote and our tests are held against, fetched once into CACHE, a folder that is kept.
#
#   foreign.sh get elasticmq CACHE              ElasticMQ and its libraries, as tests/foreign/pom.xml names them
#   foreign.sh get python CACHE                 moto, boto3 and the AWS CLI, as tests/foreign/requirements.txt has them
#   foreign.sh python CACHE MODULE SCRIPT ...   runs a script by a Python that has MODULE: that one, or the system's
#
# Package managers are used as this machine has set them up. What cannot be had is said in CACHE/PART.missing and
# ends with 77, which ctest takes for "skipped"; where nobody would see that (CI=true) it is a failure.
set -euo pipefail

# In seconds; each far above what it takes on a slow line.
longest_download=240
longest_wait_for_another=600

lists=$(cd "$(dirname "$0")/../foreign" && pwd)

unavailable() {
  echo "$1"
  [ "${CI:-}" = true ] || exit 77
  echo "with CI=true that is a failure"
  exit 1
}

fetch() {  # COMMAND...: in bounded time, its output in the log
  timeout -k 10 "$longest_download" "$@" >> "$log" 2>&1 < /dev/null
}

get_elasticmq() {
  if ! command -v java > /dev/null || ! command -v mvn > /dev/null; then
    echo "no java or no mvn here; make setup installs them" > "$log"
    return 1
  fi
  fetch mvn -B -q -Dstyle.color=never -f "$lists/pom.xml" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$1"
}

get_python() {
  fetch python3 -m venv "$1" && fetch "$1/bin/python" -m pip install -q -r "$lists/requirements.txt"
}

reason() {  # LOG: the first thing that a package manager, or this script, complained of
  sed -nE '/ERROR|^no /{s/.*ERROR(\]|:) //; p; q}' "$1" | cut -c 1-250
}

get() {  # PART LIST CACHE
  local cache folder log missing
  mkdir -p "$3"
  cache=$(cd "$3" && pwd)
  folder=$cache/$1 log=$cache/$1.log missing=$cache/$1.missing
  exec 9> "$cache/$1.lock"
  flock -w "$longest_wait_for_another" 9 || unavailable "skipped: another process fetches $1 and does not end"
  rm -f "$missing"
  cmp -s "$lists/$2" "$folder/made-from" && return
  rm -rf "$folder" "$log"
  if ! "get_$1" "$folder"; then
    echo "skipped what needs $1, which could not be fetched: $(reason "$log") (more in $log)" > "$missing"
    unavailable "$(< "$missing")"
  fi
  cp "$lists/$2" "$folder/made-from"
}

run_python() {  # CACHE MODULE SCRIPT...
  local python=$1/python/bin/python module=$2
  [ -e "$1/python/made-from" ] || python=python3
  "$python" -c "import $module" 2> /dev/null ||
    unavailable "skipped: no Python here has $module; $(cat "$1/python.missing" 2> /dev/null || echo "see get")"
  shift 2
  exec "$python" "$@"
}

case "$* $#" in
  "get elasticmq "*" 3") get elasticmq pom.xml "$3" ;;
  "get python "*" 3") get python requirements.txt "$3" ;;
  "python "*)
    shift
    run_python "$@"
    ;;
  *)
    sed -n 's/^#   //p' "$0" >&2
    exit 64
    ;;
esac
