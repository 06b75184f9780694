#!/usr/bin/env bash
# faults.sh [TEST]: the fault campaign at full length; what was seen is written to docs/reliability.md.
#   everything     HEADWATER_FAULTS (1000) faults strike connectors under load, for HEADWATER_FAULTS_SECONDS (3600) at most;
#                  HEADWATER_FAULTS_SEED repeats the choices of a run
#   quiet          meanwhile others have nothing to do, or next to nothing, for HEADWATER_FAULTS_QUIET_SECONDS (3600)
#   side_by_side   blackholes of HEADWATER_FAULTS_BLACKHOLE_SECONDS (90) for Headwater and for Debezium on Kafka Connect
# ("make test" plays a few faults and a short quiet.)
set -euo pipefail
export HEADWATER_FAULTS=${HEADWATER_FAULTS:-1000} HEADWATER_FAULTS_SECONDS=${HEADWATER_FAULTS_SECONDS:-3600}
export HEADWATER_FAULTS_QUIET_SECONDS=${HEADWATER_FAULTS_QUIET_SECONDS:-3600}
export HEADWATER_FAULTS_BLACKHOLE_SECONDS=${HEADWATER_FAULTS_BLACKHOLE_SECONDS:-90} HEADWATER_TEST_TIMEOUT=${HEADWATER_TEST_TIMEOUT:-9000}
export HEADWATER_FAULTS_PAGE=${HEADWATER_FAULTS_PAGE:-$(cd "$(dirname "$0")/.." && pwd)/docs/reliability.md}
exec "$(dirname "$0")/test.sh" --test faults -- --nocapture "$@"
