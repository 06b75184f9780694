# Sourced by the scripts that test against real servers, behind prepare.sh: starts those that do not run yet, and stops what it
# started. Tests keep the data of servers of their own below $scratch.

started=()
scratch=$(mktemp -d "${TMPDIR:-/tmp}/headwater-test.XXXXXX")
export HEADWATER_TEST_SCRATCH=$scratch
trap 'exit 130' INT
trap 'exit 143' TERM

# start SCRIPT [SERVER INSTANCE]: a script of tests/stack. One that runs already is used and left alone.
start() {
  "tests/stack/$1" status "${@:2}" >/dev/null 2>&1 && return
  started=("$*" "${started[@]}")
  "tests/stack/$1" start "${@:2}"
}

# Stops what was started here, and removes $scratch. A test that was killed cannot stop the servers it started for itself: their
# ids lie in files called "pid" below $scratch, and their command lines name it.
stop_all() {
  local member file id
  find "$scratch" -name pid -type f | while read -r file; do
    if id=$(running_pid "$file" "$scratch"); then kill -KILL "$id" && say "ended a server that a test left behind, pid $id"; fi
  done || true
  for member in "${started[@]}"; do
    # shellcheck disable=SC2086 # a script and its arguments
    set -- $member; "tests/stack/$1" stop "${@:2}" || true
  done
  rm -rf "$scratch"
}
