#!/usr/bin/env bash
# debian-mirror.sh
# Prints the address of a Debian mirror: DEBIAN_MIRROR, else the one that the machine's own apt uses, else (Ubuntu) the
# default of Debian's tool mmdebstrap, which is installed for that. No address is written down in this project.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
from_apt() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -v '^[[:space:]]*#' | grep -oE '[a-z]+://[^[:space:]]+/debian/?([[:space:]]|$)' | head -n 1 | tr -d '[:space:]' || true
}
from_mirror_list() { grep -hm1 -oE '^[a-z]+://[^[:space:]]+/debian/?' /etc/apt/mirrors/*.list 2>/dev/null | head -n 1 || true; }
from_mmdebstrap() { grep -m1 -oE 'https?://[a-z.]+/debian' /usr/bin/mmdebstrap 2>/dev/null || true; }
found=${DEBIAN_MIRROR:-}
[ -n "$found" ] || found=$(from_apt)
[ -n "$found" ] || found=$(from_mirror_list)
if [ -z "$found" ]; then
  [ -x /usr/bin/mmdebstrap ] || packages mmdebstrap
  found=$(from_mmdebstrap)
fi
[ -n "$found" ] || fail "no Debian mirror in /etc/apt; set DEBIAN_MIRROR"
echo "${found%/}"
