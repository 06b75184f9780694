#!/usr/bin/env bash
# test.sh [CARGO-TEST-ARGUMENT...]: everything that must hold, against real servers.
# Starts MySQL 9.7 (with a replica) and 8.0, MariaDB 10.11 and 11.8, PostgreSQL 15, 17 (with a standby) and 18, Kafka and a
# schema registry on loopback, checks the formatting and the lints, runs all tests, and stops the servers that it started.
# Servers that were running are used and left alone. Tests find the servers in HEADWATER_TEST_* (tests/stack/stack.sh addresses)
# and put the data of servers of their own below HEADWATER_TEST_SCRATCH. What was not checked is printed at the end: a test that
# cannot run appends a line to the file HEADWATER_TEST_SKIPPED.
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
. "$(dirname "$0")/servers.sh"
failed=() skipped=$scratch/skipped; : > "$skipped"
export HEADWATER_TEST_SKIPPED=$skipped
finish() {
  local result=$? unchecked
  trap - EXIT INT TERM
  unchecked=$(sort -u "$skipped" | sed 's/^/  /')
  stop_all
  if [ -n "$unchecked" ]; then printf '\nNOT CHECKED:\n%s\n' "$unchecked"; fi
  if [ "$result" = 0 ]; then echo "test: all passed in $SECONDS s"
  else echo "test: FAILED${failed[*]:+: ${failed[*]}} ($result) after $SECONDS s"; fi
  exit "$result"
}
trap finish EXIT

# server VARIABLE ADDRESS SCRIPT [SERVER INSTANCE]
server() { start "${@:3}" && export "$1=$2"; }

prepare_build
step() { echo; echo "== $*  [$SECONDS s]"; }

# What fails does not keep the rest from being checked.
check() { step "$1"; "${@:2}" || failed+=("$1"); }

if cargo fmt --version >/dev/null 2>&1; then check format cargo fmt --check; else echo "formatting: no rustfmt on this machine" >> "$skipped"; fi
step build
cargo test --no-run "$@"
if cargo clippy --version >/dev/null 2>&1; then check lints cargo clippy --quiet --all-targets; else echo "lints: no clippy on this machine" >> "$skipped"; fi

step servers
server HEADWATER_TEST_MYSQL_97 127.0.0.1:33306 database.sh mysql-9.7 primary
server HEADWATER_TEST_MYSQL_97_REPLICA 127.0.0.1:33316 database.sh mysql-9.7 replica
server HEADWATER_TEST_MARIADB_1011 127.0.0.1:33307 database.sh mariadb-10.11 primary
server HEADWATER_TEST_MARIADB_118 127.0.0.1:33309 database.sh mariadb-11.8 primary
server HEADWATER_TEST_MYSQL_80 127.0.0.1:33308 database.sh mysql-8.0 primary || echo "MySQL 8.0: its packages could not be had from the mirror" >> "$skipped"
server HEADWATER_TEST_POSTGRES_17 127.0.0.1:33317 database.sh postgres-17 primary
server HEADWATER_TEST_POSTGRES_17_STANDBY 127.0.0.1:33327 database.sh postgres-17 standby
server HEADWATER_TEST_POSTGRES_15 127.0.0.1:33315 database.sh postgres-15 primary || echo "PostgreSQL 15: its packages could not be had from the mirror" >> "$skipped"
server HEADWATER_TEST_POSTGRES_18 127.0.0.1:33318 database.sh postgres-18 primary || echo "PostgreSQL 18: its packages could not be had from the mirror" >> "$skipped"
server HEADWATER_TEST_KAFKA "$(tests/stack/kafka.sh address)" kafka.sh
server HEADWATER_TEST_REGISTRY "$(tests/stack/registry.sh url)" registry.sh
# The switch-over test starts its own worker with Debezium, to kill it.
if tests/stack/java.sh install connect; then export HEADWATER_TEST_CONNECT=installed
else echo "Debezium on Kafka Connect: could not be fetched" >> "$skipped"; fi

check tests timeout --foreground "${HEADWATER_TEST_TIMEOUT:-3600}" cargo test --no-fail-fast "$@"
[ ${#failed[@]} = 0 ] || exit 1
