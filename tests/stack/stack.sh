#!/usr/bin/env bash
# stack.sh up | down | status | install | addresses  [GROUP...]
#   GROUP  databases   MySQL 9.7 primary and replica, MySQL 8.0, MariaDB 10.11 and 11.8
#          postgres    PostgreSQL 15, 17 with a standby, and 18
#          kafka       Kafka and the schema registry
#          connect     Kafka Connect with Debezium, to compare with
#          Without any: databases, postgres and kafka, which is what the tests want.
# "up" installs what is missing and starts what is not running. It ends with the addresses, as HEADWATER_TEST_* variables
# for a shell to evaluate ("addresses" prints them alone). "down" stops; the data stays ("wipe" of the single scripts removes it).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
[ $# -ge 1 ] || usage
command=$1; shift
groups=("$@"); [ $# -gt 0 ] || groups=(databases postgres kafka)
declare -A members=(
  [databases]="database.sh:mysql-9.7:primary database.sh:mysql-9.7:replica database.sh:mysql-8.0:primary database.sh:mariadb-10.11:primary database.sh:mariadb-11.8:primary"
  [postgres]="database.sh:postgres-15:primary database.sh:postgres-17:primary database.sh:postgres-17:standby database.sh:postgres-18:primary"
  [kafka]="kafka.sh registry.sh"
  [connect]="connect.sh"
)
run() { # COMMAND MEMBER
  local parts; IFS=: read -ra parts <<< "$2"
  "$stack_scripts/${parts[0]}" "$1" "${parts[@]:1}"
}
each() { # COMMAND [reverse]
  local group member list=()
  for group in "${groups[@]}"; do
    [ -n "${members[$group]:-}" ] || fail "unknown group $group"
    for member in ${members[$group]}; do if [ "${2:-}" = reverse ]; then list=("$member" "${list[@]}"); else list+=("$member"); fi; done
  done
  for member in "${list[@]}"; do run "$1" "$member" || result=$?; done
}
addresses() {
  cat <<A
export HEADWATER_TEST_MYSQL_97=127.0.0.1:33306 HEADWATER_TEST_MYSQL_97_REPLICA=127.0.0.1:33316 HEADWATER_TEST_MYSQL_80=127.0.0.1:33308
export HEADWATER_TEST_MARIADB_1011=127.0.0.1:33307 HEADWATER_TEST_MARIADB_118=127.0.0.1:33309
export HEADWATER_TEST_POSTGRES_15=127.0.0.1:33315 HEADWATER_TEST_POSTGRES_18=127.0.0.1:33318
export HEADWATER_TEST_POSTGRES_17=127.0.0.1:33317 HEADWATER_TEST_POSTGRES_17_STANDBY=127.0.0.1:33327
export HEADWATER_TEST_KAFKA=$("$stack_scripts/kafka.sh" address) HEADWATER_TEST_REGISTRY=$("$stack_scripts/registry.sh" url)
A
}
install() {
  local group server
  for group in "${groups[@]}"; do
    case $group in
      databases) for server in mysql-9.7 mysql-8.0 mariadb-10.11 mariadb-11.8; do "$stack_scripts/database.sh" install "$server"; done;;
      postgres)  for server in postgres-15 postgres-17 postgres-18; do "$stack_scripts/database.sh" install "$server"; done;;
      kafka)     "$stack_scripts/java.sh" install broker; "$stack_scripts/java.sh" java 21 >/dev/null;;
      connect)   "$stack_scripts/java.sh" install connect;;
      *) fail "unknown group $group";;
    esac
  done
}
result=0
case $command in
  up)        each start >&2; [ "$result" = 0 ] || fail "not everything started"; addresses;;
  down)      each stop reverse;;
  status)    each status;;
  install)   install;;
  addresses) addresses;;
  *) usage;;
esac
exit "$result"
