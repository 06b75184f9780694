#!/usr/bin/env bash
# crash.sh: the crash campaign at full length. The binary is killed at HEADWATER_CRASH_ROUNDS (100) random moments under
# load; afterwards every row of the database must be on the topics, in order. HEADWATER_CRASH_SEED repeats a run.
# ("make test" runs ten rounds of the same.) A transaction of two million rows must fit into memory.
set -euo pipefail
export HEADWATER_CRASH_ROUNDS=${HEADWATER_CRASH_ROUNDS:-100}
export HEADWATER_LARGE_TRANSACTION_ROWS=${HEADWATER_LARGE_TRANSACTION_ROWS:-2000000}
exec "$(dirname "$0")/test.sh" --test crash --test live_postgres --test live_postgres_stream -- --nocapture "$@"
