#!/usr/bin/env bash
# debian-root.sh SUITE DIRECTORY PACKAGE... [+PACKAGE...] [-PACKAGE...]
# Unpacks packages of a Debian suite, with everything they depend on down to libc, into a directory of their own.
# The machine's packages are not touched, no maintainer script runs and no root is needed: apt works with a state of
# its own, made for this one directory. Programs in DIRECTORY/run then start on this machine as they are, because the
# suite's own loader and library path are written into them (so the directory must not be moved afterwards).
# Index signatures are checked against Debian's archive keyring, packages against the signed index, both by apt.
# Of a +PACKAGE only its own files are taken, nothing that it depends on. A -PACKAGE is left out although something depends
# on it: apt is told that it is there already. The mirror is debian-mirror.sh's.
# Does nothing when the directory already holds the same request. DIRECTORY/MANIFEST lists the package files.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
[ $# -ge 3 ] || usage
suite=$1 root=$2; shift 2
request="3 $suite $*"
keyring=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

unpack() {
  local state=$root.apt mirror deb package whole=() alone=() without=()
  [ "$(cat "$root/.ready" 2>/dev/null)" != "$request" ] || return 0
  [ -r "$keyring" ] || packages debian-archive-keyring
  mirror=$("$stack_scripts/debian-mirror.sh")
  say "unpacking $* of $suite into $root"
  rm -rf "$root" "$state"
  mkdir -p "$state"/{lists/partial,cache/archives/partial,preferences} "$root/run"
  : > "$state/status"
  echo "deb [signed-by=$keyring] $mirror $suite main" > "$state/sources.list"
  cat > "$state/apt.conf" <<C
Dir::State "$state";
Dir::State::lists "$state/lists";
Dir::State::status "$state/status";
Dir::Cache "$state/cache";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "$state/preferences";
APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
C
  # Suites under development carry an expiry of a week, and a mirror may lag behind it: the signature counts, the age does not.
  case $suite in sid|testing|forky) echo 'Acquire::Check-Valid-Until "false";' >> "$state/apt.conf";; esac
  export APT_CONFIG=$state/apt.conf
  apt-get -qq update
  for package in "$@"; do
    case $package in +*) alone+=("${package#+}");; -*) without+=("${package#-}");; *) whole+=("$package");; esac
  done
  leave_out "${without[@]}" > "$state/status"
  apt-get -qq -y --download-only install "${whole[@]}" patchelf >/dev/null
  [ ${#alone[@]} = 0 ] || (cd "$state/cache/archives" && apt-get -qq download "${alone[@]}")
  for deb in "$state"/cache/archives/*.deb; do
    dpkg-deb -x "$deb" "$state/tree"
    basename "$deb" >> "$root/MANIFEST"
  done
  merge_usr "$state/tree"
  cp -a "$state/tree/." "$root/"
  rm -rf "$state"
  "$stack_scripts/debian-root-link.sh" "$root"
  echo "$request" > "$root/.ready"
  say "ready: $root, $(wc -l < "$root/MANIFEST") packages, $(du -sm "$root" | cut -f1) MiB"
}

# What apt reads as its list of installed packages: these, for programs of any architecture, newer than any that is asked for.
leave_out() { # PACKAGE...
  [ $# = 0 ] || printf "Package: %s\nStatus: install ok installed\nMaintainer: none\nArchitecture: $(dpkg --print-architecture)\nMulti-Arch: allowed\nVersion: 99:1\nDescription: left out\n\n" "$@"
}

# Older packages still ship /lib and /bin; a link in their place keeps every path of a merged system valid.
merge_usr() {
  local part
  for part in bin sbin lib lib64; do
    mkdir -p "$1/usr/$part"
    if [ -d "$1/$part" ] && [ ! -L "$1/$part" ]; then cp -a "$1/$part/." "$1/usr/$part/"; rm -rf "${1:?}/$part"; fi
    [ -e "$1/$part" ] || ln -s "usr/$part" "$1/$part"
  done
}

locked "$(basename "$root")" unpack "$@"
