#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What strangers wrote and our tests are held against, fetched once into CACHE, a folder that is kept.
#
#   foreign.sh get PART LIST CACHE              PART into CACHE/PART, as LIST has it: a pom.xml, or requirements of pip
#   foreign.sh python CACHE PART MODULE SCRIPT ...
#                                               runs a script by the Python of PART, or by the system's if it has MODULE
#
# Package managers are used as this machine has set them up. What cannot be had is said in CACHE/PART.missing and
# ends with 77, which ctest takes for "skipped"; where nobody would see that (CI=true) it is a failure.
set -euo pipefail

# In seconds; each far above what it takes on a slow line.
longest_download=240
longest_wait_for_another=600

unavailable() {
  echo "$1"
  [ "${CI:-}" = true ] || exit 77
  echo "with CI=true that is a failure"
  exit 1
}

fetch() {  # COMMAND...: in bounded time, its output in the log
  timeout -k 10 "$longest_download" "$@" >> "$log" 2>&1 < /dev/null
}

by_maven() {  # POM FOLDER
  if ! command -v java > /dev/null || ! command -v mvn > /dev/null; then
    echo "no java or no mvn here; make setup installs them" > "$log"
    return 1
  fi
  fetch mvn -B -q -Dstyle.color=never -f "$1" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$2"
}

by_pip() {  # REQUIREMENTS FOLDER
  fetch python3 -m venv "$2" && fetch "$2/bin/python" -m pip install -q --no-deps -r "$1"
}

reason() {  # LOG: the first thing that a package manager, or this script, complained of
  sed -nE '/Ignored the following yanked/d; /ERROR|^no /{s/.*ERROR(\]|:) //; p; q}' "$1" | cut -c 1-250
}

get() {  # PART LIST CACHE
  local by=by_pip cache folder log missing
  [[ $2 != *.xml ]] || by=by_maven
  mkdir -p "$3"
  cache=$(cd "$3" && pwd)
  folder=$cache/$1 log=$cache/$1.log missing=$cache/$1.missing
  exec 9> "$cache/$1.lock"
  flock -w "$longest_wait_for_another" 9 || unavailable "skipped: another process fetches $1 and does not end"
  rm -f "$missing"
  cmp -s "$2" "$folder/made-from" && return
  rm -rf "$folder" "$log"
  if ! "$by" "$2" "$folder"; then
    echo "skipped what needs $1, which could not be fetched: $(reason "$log") (more in $log)" > "$missing"
    unavailable "$(< "$missing")"
  fi
  cp "$2" "$folder/made-from"
}

run_python() {  # CACHE PART MODULE SCRIPT...
  local python=$1/$2/bin/python
  [ -e "$1/$2/made-from" ] || python=python3
  # Found, not imported: Airflow makes folders in the home of whoever imports it.
  "$python" -c "from importlib.util import find_spec; exit(find_spec('$3') is None)" 2> /dev/null ||
    unavailable "skipped: no Python here has $3; $(cat "$1/$2.missing" 2> /dev/null || echo "see get")"
  shift 3
  exec env PYTHONDONTWRITEBYTECODE=1 "$python" "$@"
}

case "$* $#" in
  "get "*" 4")
    shift
    get "$@"
    ;;
  "python "*)
    shift
    run_python "$@"
    ;;
  *)
    sed -n 's/^#   //p' "$0" >&2
    exit 64
    ;;
esac
