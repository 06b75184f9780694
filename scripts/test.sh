#!/usr/bin/env bash
# test.sh [CARGO-TEST-ARGUMENT...]: everything that must hold, against real servers.
# Starts MySQL 9.7 (with a replica) and 8.0, MariaDB 10.11 and 11.8, Kafka and a schema registry on loopback, checks the
# formatting and the lints, runs all tests, and stops the servers that it started. Servers that were running are used and
# left alone. Tests find the servers in HEADWATER_TEST_* (tests/stack/stack.sh addresses) and put the data of servers of
# their own below HEADWATER_TEST_SCRATCH. What was not checked is printed at the end: a test that cannot run appends a line
# to the file HEADWATER_TEST_SKIPPED.
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
started=() failed=() scratch=$(mktemp -d "${TMPDIR:-/tmp}/headwater-test.XXXXXX")
skipped=$scratch/skipped; : > "$skipped"
export HEADWATER_TEST_SKIPPED=$skipped HEADWATER_TEST_SCRATCH=$scratch
stop_servers() {
  local member
  for member in "${started[@]}"; do
    # shellcheck disable=SC2086 # a script and its arguments
    set -- $member; "tests/stack/$1" stop "${@:2}" || true
  done
}
# A test that was killed cannot stop the servers it started for itself: their ids lie in files called "pid" below the
# scratch folder, and their command lines name it.
stop_leftovers() {
  local file id
  find "$scratch" -name pid -type f | while read -r file; do
    if id=$(running_pid "$file" "$scratch"); then kill -KILL "$id" && say "ended a server that a test left behind, pid $id"; fi
  done
}
finish() {
  local result=$?
  trap - EXIT INT TERM
  stop_leftovers || true
  stop_servers
  if [ -s "$skipped" ]; then echo; echo "NOT CHECKED:"; sort -u "$skipped" | sed 's/^/  /'; fi
  rm -rf "$scratch"
  if [ "$result" = 0 ]; then echo "test: all passed in $SECONDS s"
  else echo "test: FAILED${failed[*]:+: ${failed[*]}} ($result) after $SECONDS s"; fi
  exit "$result"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start VARIABLE ADDRESS SCRIPT [SERVER INSTANCE]
start() {
  local variable=$1 address=$2; shift 2
  if ! "tests/stack/$1" status "${@:2}" >/dev/null 2>&1; then
    started=("$*" "${started[@]}")
    "tests/stack/$1" start "${@:2}" || return 1
  fi
  export "$variable=$address"
}

prepare_build
step() { echo; echo "== $*  [$SECONDS s]"; }

# What fails does not keep the rest from being checked.
check() { step "$1"; "${@:2}" || failed+=("$1"); }

if cargo fmt --version >/dev/null 2>&1; then check format cargo fmt --check; else echo "formatting: no rustfmt on this machine" >> "$skipped"; fi
step build
cargo test --no-run "$@"
if cargo clippy --version >/dev/null 2>&1; then check lints cargo clippy --quiet --all-targets; else echo "lints: no clippy on this machine" >> "$skipped"; fi

step servers
start HEADWATER_TEST_MYSQL_97 127.0.0.1:33306 database.sh mysql-9.7 primary
start HEADWATER_TEST_MYSQL_97_REPLICA 127.0.0.1:33316 database.sh mysql-9.7 replica
start HEADWATER_TEST_MARIADB_1011 127.0.0.1:33307 database.sh mariadb-10.11 primary
start HEADWATER_TEST_MARIADB_118 127.0.0.1:33309 database.sh mariadb-11.8 primary
start HEADWATER_TEST_MYSQL_80 127.0.0.1:33308 database.sh mysql-8.0 primary || echo "MySQL 8.0: its packages could not be had from the mirror" >> "$skipped"
start HEADWATER_TEST_KAFKA "$(tests/stack/kafka.sh address)" kafka.sh
start HEADWATER_TEST_REGISTRY "$(tests/stack/registry.sh url)" registry.sh
# The switch-over test starts its own worker with Debezium, to kill it.
if tests/stack/java.sh install connect; then export HEADWATER_TEST_CONNECT=installed
else echo "Debezium on Kafka Connect: could not be fetched" >> "$skipped"; fi

check tests timeout --foreground 2400 cargo test --no-fail-fast "$@"
[ ${#failed[@]} = 0 ] || exit 1
