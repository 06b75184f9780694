#!/usr/bin/env bash
# crash.sh: the crash campaign at full length. The binary is killed at HEADWATER_CRASH_ROUNDS (100) random moments under
# load; afterwards every row of the database must be on the topics, in order. HEADWATER_CRASH_SEED repeats a run.
# ("make test" runs ten rounds of the same.)
set -euo pipefail
export HEADWATER_CRASH_ROUNDS=${HEADWATER_CRASH_ROUNDS:-100}
exec "$(dirname "$0")/test.sh" --test crash --test live_postgres -- --nocapture "$@"
