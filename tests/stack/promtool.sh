#!/usr/bin/env bash
# promtool.sh [ARGUMENT...]: Prometheus' own checker of rules, from Debian's package; nothing of it is started. Without arguments,
# where it lies. Installed into a folder of its own when it is missing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
root=$HEADWATER_STACK_DIR/promtool
"$stack_scripts/debian-root.sh" trixie "$root" libc6 +promtool
program=$root/run/promtool
[ -x "$program" ] || fail "no promtool in $root"
[ $# -gt 0 ] || { echo "$program"; exit 0; }
exec "$program" "$@"
