#!/usr/bin/env bash
# parity.sh [--record]: the same traffic on Debezium and on Headwater, and everything that lands is compared, field by field.
# Starts the test servers of `make test`, and Kafka Connect with Debezium's connectors, on loopback; what it started it stops.
# Environment: SCENARIOS  a folder with scenarios (default: tests/scenarios; what a scenario is: tests/parity/scenario.rs)
#              ONLY       play only those whose name contains one of these words, separated by commas
#              RECORD=1   the same as --record: keep what Debezium wrote as golden files, which `make test` compares with
# The results of the project's own scenarios are written to docs/parity.md.
set -euo pipefail
scenarios=${SCENARIOS:-}; [ -z "$scenarios" ] || scenarios=$(realpath "$scenarios")
. "$(dirname "$0")/prepare.sh"
. "$(dirname "$0")/servers.sh"
trap stop_all EXIT
for argument in "$@"; do
  case $argument in
    --record) RECORD=1;;
    *) fail "unknown argument $argument; see the top of scripts/parity.sh";;
  esac
done
members=("database.sh mysql-9.7 primary" "database.sh mysql-8.0 primary" "database.sh mariadb-10.11 primary" "database.sh mariadb-11.8 primary"
  "database.sh postgres-15 primary" "database.sh postgres-17 primary" "database.sh postgres-18 primary"
  kafka.sh registry.sh connect.sh)
prepare_build
cargo test --quiet --no-run --test parity
tests/stack/java.sh install parity   # a worker of an older stack that runs must be stopped first: it would lose its archives
for member in "${members[@]}"; do
  # shellcheck disable=SC2086 # a script and its arguments
  start $member || say "not started: $member"
done
eval "$(tests/stack/stack.sh addresses)"
export HEADWATER_PARITY_CONNECT=http://127.0.0.1:${CONNECT_PORT:-18083}
export HEADWATER_PARITY_SCENARIOS=$scenarios HEADWATER_PARITY_ONLY=${ONLY:-}
[ -z "${RECORD:-}" ] || export HEADWATER_PARITY_RECORD=1
cargo test --quiet --test parity -- --exact live --nocapture
