#!/usr/bin/env bash
# bench.sh [CARGO-BENCH-ARGUMENT...]: how fast it is, in a release build.
# Starts a MySQL 9.7, a Kafka broker and a registry for itself on free ports, with empty data, runs "cargo bench" and removes
# them. Benches of a stage need none of them; those of the whole find them in HEADWATER_BENCH_MYSQL, _KAFKA and _REGISTRY,
# the binary in HEADWATER_BENCH_BINARY, and the server's own programs (mysqlbinlog, to compare with) in HEADWATER_BENCH_PROGRAMS.
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
prepare_build
cargo build --release --bin headwater
cargo bench --no-run "$@"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/headwater-bench.XXXXXX")
export DATABASE_DATA=$scratch/mysql KAFKA_DATA=$scratch/kafka REGISTRY_DATA=$scratch/registry DATABASE_PORT KAFKA_PORT REGISTRY_PORT
DATABASE_PORT=$(free_port) KAFKA_PORT=$(free_port) REGISTRY_PORT=$(free_port)
remove() {
  tests/stack/registry.sh wipe; tests/stack/kafka.sh wipe bench; tests/stack/database.sh wipe mysql-9.7 bench
  rm -rf "$scratch"
}
trap remove EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tests/stack/database.sh start mysql-9.7 bench
tests/stack/kafka.sh start bench
tests/stack/registry.sh start
export HEADWATER_BENCH_MYSQL=127.0.0.1:$DATABASE_PORT HEADWATER_BENCH_KAFKA=127.0.0.1:$KAFKA_PORT
export HEADWATER_BENCH_REGISTRY HEADWATER_BENCH_BINARY=$project/target/release/headwater HEADWATER_BENCH_PROGRAMS=$HEADWATER_STACK_DIR/mysql-9.7/run
HEADWATER_BENCH_REGISTRY=$(tests/stack/registry.sh url)
cargo bench "$@"
