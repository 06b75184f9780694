#!/usr/bin/env bash
# mysql-8.0-root.sh DIRECTORY
# MySQL 8.0, unpacked into a directory of its own. No suite lists it any more, but mirrors still hold the two package files.
# No signed index vouches for them now, so they are pinned here by checksum; their libraries come signed from current suites.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
[ $# = 1 ] || usage
root=$1
unpack() {
  local files=$root.files checksum file
  [ ! -f "$root/.ready-8.0" ] || return 0
  # What the two packages depend on (dpkg-deb -f FILE Depends), under the names that unstable gives the libraries now.
  "$stack_scripts/debian-root.sh" sid "$root" libaio1t64 libedit2 libevent-core-2.1-7t64 libevent-pthreads-2.1-7t64 libgcc-s1 liblz4-1 \
    libmecab2 libnuma1 libprotobuf-lite32t64 libssl3t64 libstdc++6 libtinfo6 libtirpc3t64 libzstd1 zlib1g
  "$stack_scripts/debian-root.sh" trixie "$root.icu" libicu76   # unstable has moved on to a later one
  cp -a "$root.icu"/usr/lib/x86_64-linux-gnu/libicu*.so.76* "$root/usr/lib/x86_64-linux-gnu/"
  rm -rf "$root.icu" "$files"; mkdir -p "$files"
  while read -r checksum file; do
    fetch_from_pool "$file" "$files/$file"
    echo "$checksum  $files/$file" | sha256sum --check --quiet || fail "$file is not the file that was pinned"
    dpkg-deb -x "$files/$file" "$root"
    echo "$file" >> "$root/MANIFEST"
  done <<'PINS'
0d6227408f63c01dadce99c1639f2427cc88495a0b3ed3292a85d9c2aa64e1fd mysql-server-core-8.0_8.0.45-1_amd64.deb
cbb6881d471c60bcb3f6ac2fd2b8e982c11836a0ce98469aef89b49d9a346aea mysql-client-core-8.0_8.0.45-1_amd64.deb
PINS
  rm -rf "$files"
  "$stack_scripts/debian-root-link.sh" "$root"
  touch "$root/.ready-8.0"
}
fetch_from_pool() { # FILE TARGET
  "$stack_scripts/debian-mirror.sh" > "$files/mirror"
  command -v curl >/dev/null || packages curl ca-certificates
  curl -fsS --retry 3 -o "$2" "$(cat "$files/mirror")/pool/main/m/mysql-8.0/$1" || fail "the mirror no longer holds $1: MySQL 8.0 cannot be installed here"
}
[ "$(dpkg --print-architecture)" = amd64 ] || fail "MySQL 8.0 is pinned for amd64 only"
locked "$(basename "$root")-8.0" unpack
