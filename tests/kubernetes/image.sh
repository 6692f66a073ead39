#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the image of cron/kubernetes/ with podman, and runs it as a cluster would, against a sandbox and a private
# Postgres.
#
#   image.sh BUILD       BUILD holds the programs that play the world around it; build/foreign has the tests' Python
#
# Needs root and the packages podman, crun and, where no base image can be pulled, debootstrap. Everything is made in
# BUILD/image, and removed.
set -euo pipefail

build=$(realpath "${1:?usage: image.sh BUILD}")
cd "$(dirname "$0")/../.."

unavailable() {
  echo "image.sh: $1"
  [ "${CI:-}" = true ] || exit 77
  exit 1
}
[ "$(id -u)" = 0 ] || unavailable "needs root"
for tool in podman crun; do
  command -v "$tool" > /dev/null || unavailable "no $tool here: apt-get install --no-install-recommends podman crun"
done

# crun refuses a machine that has both kinds of cgroups; in a namespace of our own it sees the newer kind alone.
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
  # shellcheck disable=SC2016
  exec unshare --mount sh -c 'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' \
    sh "$PWD/tests/kubernetes/image.sh" "$build"
fi

work=$build/image
engine=(podman --root "$work/storage" --runroot "$work/run" --tmpdir "$work/tmp" --storage-driver vfs)
# shellcheck disable=SC2317  # called by the trap
finish() {
  trap '' INT TERM
  "${engine[@]}" rm -a -f -t 0 > /dev/null 2>&1 || true
  tests/support/postgres.sh stop "$work/postgres.env" || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rm -rf "$work"
mkdir -p "$work"
export CONTAINERS_CONF=$work/containers.conf
printf '[engine]\ncgroup_manager = "cgroupfs"\nlock_type = "file"\nevents_logger = "none"\n' > "$CONTAINERS_CONF"

# As Debian's own images are made: the slim one without manuals and translations, now and later.
make_base() {  # IMAGE
  local root=$work/debian
  command -v debootstrap > /dev/null || unavailable "$1 cannot be pulled, and no debootstrap is here to make it"
  if [ ! -d "$root" ]; then
    debootstrap --variant=minbase bookworm "$root" > "$work/log" 2>&1 ||
      unavailable "debootstrap: $(tail -n 1 "$work/log")"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  fi
  if [[ $1 = *-slim ]]; then
    printf 'path-exclude /usr/share/%s/*\n' doc man locale info > "$root/etc/dpkg/dpkg.cfg.d/slim"
    rm -rf "$root"/usr/share/{doc,man,locale,info}/*
  fi
  tar -C "$root" -c . | "${engine[@]}" import -q - "$1" > /dev/null
}

sed -nE 's/^FROM (debian:[a-z-]+).*/\1/p' cron/kubernetes/Containerfile | while read -r base; do
  "${engine[@]}" pull -q "$base" > /dev/null 2>&1 < /dev/null || make_base "$base" < /dev/null
done

image=sluice:image-test
echo "builds $image: minutes, its progress in $work/log"
nice "${engine[@]}" build --isolation chroot --pull=never -q -t "$image" -f cron/kubernetes/Containerfile . \
  > "$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
"${engine[@]}" images --format '{{.Repository}}:{{.Tag}} {{.Size}}' --filter dangling=false

tests/support/postgres.sh start "$work/postgres.env" --owner $$
tests/support/foreign.sh get kubernetes tests/kubernetes/requirements.txt build/foreign
export SLUICE_TEST_POSTGRES=$work/postgres.env SLUICE_BINARY=$build/sluice SLUICE_ENGINE="${engine[*]}"
tests/support/foreign.sh python build/foreign kubernetes yaml \
  tests/kubernetes/image_test.py "$image" "$build/tests/aws_sandbox"
