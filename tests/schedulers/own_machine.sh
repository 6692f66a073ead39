#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A machine of its own, as far as processes and files go: see own_machine.h.
#
#   own_machine.sh try               whether it can be had here: says why not, and fails
#   own_machine.sh keep FOLDER INIT  makes it, keeps it until standard input ends, and removes it and FOLDER
#
# FOLDER is empty and has a name of its own. INIT, a line of shell, becomes its process 1, whose number here is in
# FOLDER/pid; the file /ready is there when it begins.
set -eu

apart="unshare --mount --uts --ipc --propagation private"

# The file systems that it is made of. In a namespace of mounts.
lay() {
  mount -t tmpfs -o mode=0755 tmpfs "$1"
  cd "$1"
  mkdir above work root groups
  mount -t overlay -o lowerdir=/,upperdir=above,workdir=work overlay root
  mount -t cgroup2 cgroup2 groups
}

make() {
  mkdir "$1/disk"
  lay "$1/disk"
  mkdir "groups/${1##*/}"
  echo $$ > "groups/${1##*/}/cgroup.procs"
  exec unshare --pid --fork --kill-child --cgroup "$here" enter "$@"
}

# What sets the kernel is read-only, /dev is small, and rights over clock, network and kernel are gone: an init would
# set up the machine around it. Mounts are shared, as everywhere with systemd: what it mounts for a unit gets there so.
enter() {
  read -r pid _ < /proc/self/stat
  echo "$pid" > "$1/pid"
  cd root
  mount -t proc proc proc
  for kernel in proc/sys sys; do mount --bind "/$kernel" $kernel && mount -o remount,bind,ro $kernel; done
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=0755 tmpfs run
  mount -t tmpfs -o mode=1777 tmpfs tmp
  mount -t tmpfs -o mode=0755 tmpfs dev
  for name in null zero full random urandom tty; do touch dev/$name && mount --bind /dev/$name dev/$name; done
  ln -s /proc/self/fd dev/fd
  ln -s pts/ptmx dev/ptmx
  mkdir dev/shm dev/pts around
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
  pivot_root . around
  umount -l around
  mount --make-rshared /
  touch /ready
  export container=test
  exec setpriv --bounding-set=-sys_boot,-sys_module,-sys_rawio,-sys_time,-net_admin,-syslog sh -c "$2"
}

# Its last process may be still on its way out.
remove_groups() {
  mount -t cgroup2 cgroup2 "$1"
  group=$1/${1##*/}
  for _ in $(seq 500); do
    [ -d "$group" ] || return 0
    find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.01
  done
}

keep() {
  $apart "$here" make "$@" < /dev/null &
  machine=$!
  cat > /dev/null || true
  kill -KILL $machine || true
  wait $machine || true
  $apart "$here" remove_groups "$1"
  rm -rf "$1"
}

try() {
  [ "$(id -u)" = 0 ] || { echo "needs root, for a machine of its own" && exit 1; }
  folder=$(mktemp -d)
  $apart unshare --pid --fork --cgroup "$here" lay "$folder" 2> /dev/null ||
    { echo "no right to make a machine of its own here" && rmdir "$folder" && exit 1; }
  rmdir "$folder"
}

here=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
case "${1:-} $#" in
  "try 1" | "keep 3" | "make 3" | "enter 3" | "lay 2" | "remove_groups 2") "$@" ;;
  *)
    sed -n 's/^#   //p' "$0" >&2
    exit 64
    ;;
esac
