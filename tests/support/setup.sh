#!/usr/bin/env bash
# Installs what the build and the tests need and what is missing, from the distribution's own packages.
set -euo pipefail

if ! command -v dpkg-query > /dev/null; then
  for tool in c++ cmake ninja pkg-config initdb; do
    command -v "$tool" > /dev/null && continue
    echo "make setup: this is not Debian or Ubuntu, and $tool is missing" >&2
    echo "hint: install a C++20 compiler, CMake 3.25, Ninja, Boost 1.81 (JSON, Program_options), libcurl, libpq," \
      "SQLite 3.40, OpenSSL 3, utf8proc, zlib, zstd, GoogleTest and PostgreSQL 15, then run make again" >&2
    exit 1
  done
  exit 0
fi

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
update() {
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo > /dev/null; then return; fi
  as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
}
is_known() { apt-cache show "$1" > /dev/null 2>&1; }

# A fresh container has no lists, and two names below depend on them.
{ is_known clang && is_known libboost-dev; } || update

# Debian 12 names Boost's version; from Debian 13 on the default is new enough.
boost=""
if is_known libboost-json1.81-dev; then boost=1.81; fi
# What clang's sanitizers and libFuzzer need at run time is named after the version that `clang` is.
clang=$(apt-cache show clang 2> /dev/null | sed -n 's/^Depends:.*clang-\([0-9]*\).*/\1/p' | head -n 1)

packages=(g++ make cmake ninja-build pkg-config "libboost${boost}-dev" "libboost-json${boost}-dev"
  "libboost-program-options${boost}-dev" libcurl4-openssl-dev libpq-dev libsqlite3-dev libssl-dev libutf8proc-dev zlib1g-dev libzstd-dev
  libgtest-dev libbenchmark-dev clang "libclang-rt-${clang}-dev" clang-format clang-tidy gcovr
  postgresql pgbouncer spin curl python3 strace cron systemd redis-server zstd
  prometheus prometheus-node-exporter prometheus-pushgateway chromium
  python3-venv maven)  # maven brings a Java: for servers and clients by others, which the tests fetch

states=$(dpkg-query -W -f '${Package} ${Status}\n' "${packages[@]}" 2> /dev/null || true)  # fails where one is missing
installed=$(sed -n 's/ [a-z]* ok installed$//p' <<< "$states")
missing=()
for package in "${packages[@]}"; do grep -qxF "$package" <<< "$installed" || missing+=("$package"); done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] && ! command -v sudo > /dev/null; then
  echo "make setup: these packages are missing: ${missing[*]}" >&2
  echo "hint: as root: apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "make setup: installing ${missing[*]}"
update
as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
  install --no-install-recommends "${missing[@]}" > /dev/null
