#!/usr/bin/env bash
# Installs what the build and the tests need and what is missing, from the distribution's own packages.
set -euo pipefail

# Debian 12 names Boost's version; from Debian 13 on the default is new enough.
boost=""
if command -v apt-cache > /dev/null && apt-cache show libboost-json1.81-dev > /dev/null 2>&1; then boost=1.81; fi

packages=(g++ make cmake ninja-build pkg-config "libboost${boost}-dev" "libboost-json${boost}-dev"
  "libboost-program-options${boost}-dev" libcurl4-openssl-dev libpq-dev libsqlite3-dev libssl-dev libutf8proc-dev zlib1g-dev
  libgtest-dev libbenchmark-dev clang-format clang-tidy postgresql curl python3 strace
  python3-venv maven)  # maven brings a Java: for servers and clients by others, which the tests fetch

is_installed() { dpkg-query -W -f '${Status}' "$1" 2> /dev/null | grep -q 'ok installed'; }

if ! command -v dpkg-query > /dev/null; then
  for tool in c++ cmake ninja pkg-config initdb; do
    command -v "$tool" > /dev/null && continue
    echo "make setup: this is not Debian or Ubuntu, and $tool is missing" >&2
    echo "hint: install a C++20 compiler, CMake 3.25, Ninja, Boost 1.81 (JSON, Program_options), libcurl, libpq, zlib," \
      "SQLite 3.40, OpenSSL 3, utf8proc, zlib, GoogleTest and PostgreSQL 15, then run make again" >&2
    exit 1
  done
  exit 0
fi

missing=()
for package in "${packages[@]}"; do is_installed "$package" || missing+=("$package"); done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo > /dev/null; then
    echo "make setup: these packages are missing: ${missing[*]}" >&2
    echo "hint: as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "make setup: installing ${missing[*]}"
"${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq -y -o DPkg::Lock::Timeout=300 \
  install --no-install-recommends "${missing[@]}" > /dev/null
