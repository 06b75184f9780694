#!/usr/bin/env bash
# check.sh: what can be said without servers: formatting, lints, house rules.
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
prepare_build
cargo fmt --check
cargo clippy --quiet --all-targets
cargo test --quiet --test tidy
