#!/usr/bin/env bash
# bench.sh [CARGO-BENCH-ARGUMENT...]: how fast it is, in a release build.
# Starts a MySQL 9.7, a PostgreSQL 17, a Kafka broker and a registry for itself on free ports, with empty data, runs "cargo bench"
# and removes them. Benches of a stage need none of them, the sink only Kafka; those of the whole find them in HEADWATER_BENCH_MYSQL, _POSTGRES, _KAFKA
# and _REGISTRY, the binary in HEADWATER_BENCH_BINARY, and the servers' own programs (mysqlbinlog and pg_recvlogical, to compare
# with) in HEADWATER_BENCH_PROGRAMS and _POSTGRES_PROGRAMS.
# Environment: DEBEZIUM=1  beside it Debezium for MySQL on Kafka Connect, with a heap of 2 GiB and settings of an expert's
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
prepare_build
cargo build --release --bin headwater
cargo bench --no-run "$@"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/headwater-bench.XXXXXX")
export KAFKA_DATA=$scratch/kafka REGISTRY_DATA=$scratch/registry KAFKA_PORT REGISTRY_PORT
mysql_port=$(free_port) postgres_port=$(free_port) connect_port=$(free_port) KAFKA_PORT=$(free_port) REGISTRY_PORT=$(free_port)
mysql() { DATABASE_DATA=$scratch/mysql DATABASE_PORT=$mysql_port tests/stack/database.sh "$1" mysql-9.7 bench; }
postgres() {
  DATABASE_DATA=$scratch/postgres DATABASE_PORT=$postgres_port DATABASE_OPTIONS="--logical-decoding-work-mem=64MB --shared-buffers=512MB --max-wal-size=8GB" \
    tests/stack/database.sh "$1" postgres-17 bench
}
connect() { CONNECT_DATA=$scratch/connect CONNECT_PORT=$connect_port CONNECT_BOOTSTRAP=127.0.0.1:$KAFKA_PORT CONNECT_GROUP=bench-connect CONNECT_HEAP=2g tests/stack/connect.sh "$1"; }
remove() {
  [ -z "${DEBEZIUM:-}" ] || connect wipe
  tests/stack/registry.sh wipe; tests/stack/kafka.sh wipe bench; mysql wipe; postgres wipe
  rm -rf "$scratch"
}
trap remove EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mysql start
postgres start
tests/stack/kafka.sh start bench
tests/stack/registry.sh start
export HEADWATER_BENCH_MYSQL=127.0.0.1:$mysql_port HEADWATER_BENCH_POSTGRES=127.0.0.1:$postgres_port HEADWATER_BENCH_KAFKA=127.0.0.1:$KAFKA_PORT
export HEADWATER_BENCH_REGISTRY HEADWATER_BENCH_BINARY=$project/target/release/headwater HEADWATER_BENCH_PROGRAMS=$HEADWATER_STACK_DIR/mysql-9.7/run
export HEADWATER_BENCH_POSTGRES_PROGRAMS=$HEADWATER_STACK_DIR/postgres-17/run
HEADWATER_BENCH_REGISTRY=$(tests/stack/registry.sh url)
if [ -n "${DEBEZIUM:-}" ]; then
  connect start
  export HEADWATER_BENCH_CONNECT=http://127.0.0.1:$connect_port HEADWATER_BENCH_CONNECT_PROCESS
  HEADWATER_BENCH_CONNECT_PROCESS=$(cat "$scratch/connect/pid")
fi
cargo bench "$@"
