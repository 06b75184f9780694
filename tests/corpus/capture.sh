#!/usr/bin/env bash
# capture.sh SERVER: runs sql/*.sql on a server of its own and keeps the binlog of each as SERVER/*.binlog.
# SERVER is mysql-9.7, mysql-8.0, mariadb-10.11 or mariadb-11.8; see tests/stack/database.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
server=${1:?a server}
export DATABASE_DATA=${TMPDIR:-/tmp}/headwater-corpus/$server DATABASE_PORT=${DATABASE_PORT:-41099}
database() { ../stack/database.sh "$1" "$server" corpus "${@:2}"; }
case $server in
  mysql-9.7) scenarios="types images json json_wrong partial_json transactions payload tagged vector" reset="RESET BINARY LOGS AND GTIDS";;
  mysql-8.0) scenarios="types images json partial_json transactions payload" reset="RESET MASTER";;
  mariadb-10.11) scenarios="types images transactions mariadb mariadb_compressed" reset="RESET MASTER";;
  mariadb-11.8) scenarios="types images transactions mariadb mariadb_compressed vector_mariadb" reset="RESET MASTER";;
esac
mkdir -p "$server"
database start
for scenario in $scenarios; do
  echo "DROP DATABASE IF EXISTS corpus; $reset;" | database sql
  database sql --default-character-set=utf8mb4 < "sql/$scenario.sql"
  echo "FLUSH BINARY LOGS" | database sql
  log=$(database data)
  ls "$log"/*.00000[0-9] | head -n -1 | xargs cat > "$server/$scenario.binlog"
  stat -c "%n %s" "$server/$scenario.binlog"
done
database wipe
