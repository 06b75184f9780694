#!/usr/bin/env bash
# parity.sh [--record]: the same traffic on Debezium and on Headwater, and everything that lands is compared, field by field; and what
# both say on /metrics.
# Starts the test servers of `make test`, and Kafka Connect with Debezium's connectors, on loopback; what it started it stops.
# Environment: SCENARIOS  a folder with scenarios (default: tests/scenarios; what a scenario is: tests/parity/scenario.rs)
#              ONLY       play only those whose name contains one of these words, separated by commas; "metrics" compares no scenario,
#                         only the numbers on /metrics, which are compared behind the scenarios otherwise
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
cargo test --quiet --no-run --test parity --test live_metrics
tests/stack/java.sh install parity   # a worker of an older stack that runs must be stopped first: it would lose its archives
for member in "${members[@]}"; do
  # shellcheck disable=SC2086 # a script and its arguments
  start $member || say "not started: $member"
done
eval "$(tests/stack/stack.sh addresses)"
export HEADWATER_PARITY_CONNECT=http://127.0.0.1:${CONNECT_PORT:-18083}
export HEADWATER_PARITY_SCENARIOS=$scenarios HEADWATER_PARITY_ONLY=${ONLY:-}
[ -z "${RECORD:-}" ] || export HEADWATER_PARITY_RECORD=1 HEADWATER_METRICS_RECORD=1
result=0
[ "$HEADWATER_PARITY_ONLY" = metrics ] || cargo test --quiet --test parity -- --exact live --nocapture || result=$?
# The numbers that both publish: a worker of the test's own, with an exporter of metrics beside it.
if [ -z "$scenarios$HEADWATER_PARITY_ONLY" ] || [ "$HEADWATER_PARITY_ONLY" = metrics ]; then
  HEADWATER_TEST_CONNECT=installed cargo test --quiet --test live_metrics -- --exact original::the_original_says_the_same --nocapture || result=$?
fi
exit "$result"
