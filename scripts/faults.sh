#!/usr/bin/env bash
# faults.sh: the fault campaign at full length. HEADWATER_FAULTS (250) faults of the database and as many of the broker strike
# a connector under load; how soon each was noticed and healed is written to docs/reliability.md. HEADWATER_FAULTS_SEED repeats a run.
# ("make test" runs a few of each.)
set -euo pipefail
export HEADWATER_FAULTS=${HEADWATER_FAULTS:-250} HEADWATER_FAULTS_PAGE=${HEADWATER_FAULTS_PAGE:-$(cd "$(dirname "$0")/.." && pwd)/docs/reliability.md}
exec "$(dirname "$0")/test.sh" --test faults -- --nocapture "$@"
