#!/usr/bin/env bash
# database.sh COMMAND SERVER [INSTANCE] [ARGUMENT...]
#   COMMAND   install | start | stop | status | kill | pause | resume | wipe | port | socket | data | root
#             sql [client options]      the server's own client as root over its socket; statements with -e or on standard input
#             binlog [options]          mysqlbinlog or mariadb-binlog
#             promote                   makes a standby of PostgreSQL a primary
#             receive [options]         pg_recvlogical as the user cdc
#   SERVER    mysql-9.7 | mysql-8.0 | mariadb-10.11 | mariadb-11.8 | mariadb-10.5 (no test of make test needs it)
#             postgres-14 | postgres-15 | postgres-16 | postgres-17 | postgres-18
#   INSTANCE  primary (default), replica (follows primary by GTID), standby (follows primary of PostgreSQL, with its slots),
#             third (alone), or a name of your own
#
#                   primary  replica  third        kill = SIGKILL (a crash), pause/resume = SIGSTOP/SIGCONT (a hang);
#   mysql-9.7         33306    33316  33346        stop keeps the data, wipe stops and removes it.
#   mariadb-10.11     33307    33337  33347
#   mysql-8.0         33308    33338  33348        An instance with a name of its own needs DATABASE_PORT.
#   mariadb-11.8      33309    33339  33349
#   mariadb-10.5      33310    33340  33350
#                   primary  standby
#   postgres-14       33314    33324
#   postgres-15       33315    33325
#   postgres-16       33311    33321    (33316 is MySQL 9.7's replica)
#   postgres-17       33317    33327
#   postgres-18       33318    33328
#
# Users (password): root@127.0.0.1 (rootpw), app (apppw, all rights), cdc (cdcpw, what a connector needs), repl (replpw).
# Every server writes a full row binlog with GTIDs and column names, and listens on 127.0.0.1 only.
# PostgreSQL: postgres (postgrespw) and app may do everything, cdc may replicate and read; the same with one way to log in:
# by_md5 (md5pw), by_password (passwordpw), by_tls (tlspw), by_cert (certificate). wal_level is logical, TLS is on, the files of
# it (ca, server-cert, client-cert, client-key .pem, client-key.pk8) lie in the data folder. The database postgres has the
# extensions hstore, ltree, citext, isn, postgis (not 14 and 16) and vector (only 17 and 18). All new instances have one system identifier.
# Environment:
#   DATABASE_PORT, DATABASE_DATA (folder), DATABASE_SERVER_ID   for a server of your own
#   DATABASE_FOLLOWS=PORT        makes the instance a replica of that port
#   DATABASE_ROW_METADATA        FULL (default) or MINIMAL
#   DATABASE_OPTIONS             more options of mysqld or mariadbd, later ones win: "--binlog-row-image=MINIMAL --max-binlog-size=4096"
#                                or of postgres: "--wal-sender-timeout=5s --max-slot-wal-keep-size=64MB"
#   HEADWATER_STACK_DIR          programs and data; /var/cache/headwater-stack, or ~/.cache/headwater-stack when not root
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
[ $# -ge 2 ] || usage
command=$1 server=$2 instance=${3:-primary}
arguments=("${@:4}")
root=$HEADWATER_STACK_DIR/$server
case $server in
  mysql-9.7)     flavor=mysql   offset=0;;
  mysql-8.0)     flavor=mysql   offset=2;;
  mariadb-10.11) flavor=mariadb offset=1;;
  mariadb-11.8)  flavor=mariadb offset=3;;
  mariadb-10.5)  flavor=mariadb offset=4;;
  postgres-14)   flavor=postgres offset=8;;
  postgres-15)   flavor=postgres offset=9;;
  postgres-16)   flavor=postgres offset=5;;
  postgres-17)   flavor=postgres offset=11;;
  postgres-18)   flavor=postgres offset=12;;
  *) fail "unknown server $server";;
esac
case $instance in
  primary) port=33306 id=10;;
  replica) port=33336 id=20; [ "$server" != mysql-9.7 ] || port=33316;;
  standby) port=33316 id=20;;
  third)   port=33346 id=30;;
  *[!A-Za-z0-9_-]*) fail "an instance name has letters, digits, - and _ only";;
  *) port=; id=${DATABASE_SERVER_ID:-${DATABASE_PORT:-}};;
esac
[ -z "$port" ] || { port=$((port + offset)) id=$((id + offset)); }
follows=${DATABASE_FOLLOWS:-}
case $flavor-$instance in
  postgres-replica|mysql-standby|mariadb-standby) fail "$server has no instance $instance";;
esac
[[ $instance != replica && $instance != standby ]] || follows=${follows:-$((33306 + offset))}
port=${DATABASE_PORT:-$port} id=${DATABASE_SERVER_ID:-$id}
folder=${DATABASE_DATA:-$HEADWATER_STACK_DIR/data/$server/$instance}
data=$folder/data socket=$folder/socket pid_file=$folder/pid log=$folder/error.log
mark=--datadir=$data
name="$server $instance"
# A socket's path has room for 107 bytes; a deep temporary folder gets a link-free place under /tmp instead.
if [ ${#socket} -gt 100 ]; then socket=/tmp/headwater-$(echo "$folder" | sha256sum | cut -c1-16).socket; fi

sql() { "$root/run/$client" --no-defaults "${client_options[@]}" -uroot -S "$socket" "$@"; }

start() {
  local id_now
  install
  if id_now=$(running_pid "$pid_file" "$mark"); then echo "$name: already running, pid $id_now, 127.0.0.1:$port"; return; fi
  [ -n "$port" ] || fail "instance $instance needs DATABASE_PORT"
  mkdir -p "$folder/tmp"
  rm -f "$socket" "$socket.lock" "$pid_file"   # what a crash leaves behind keeps the next start from happening
  if [ ! -e "$data/$initialised" ]; then
    locked "$server-template" make_template
    rm -rf "$data" "$folder/.users"
    cp -a "$HEADWATER_STACK_DIR/data/$server.template" "$data"
  fi
  # shellcheck disable=SC2086 # the options are words on purpose
  setsid "$root/run/$daemon" "${base_options[@]}" "$mark" --port="$port" --bind-address=127.0.0.1 --socket="$socket" \
    --pid-file="$pid_file.server" --tmpdir="$folder/tmp" --log-error="$log" --server-id="$id" --report-host=127.0.0.1 --report-port="$port" \
    --log-bin=binlog --relay-log=relay --binlog-format=ROW --binlog-row-image=FULL --binlog-row-metadata="${DATABASE_ROW_METADATA:-FULL}" \
    --sync-binlog=1 --innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size=128M --max-connections=200 --port-open-timeout=10 \
    "${server_options[@]}" ${DATABASE_OPTIONS:-} </dev/null >>"$folder/output.log" 2>&1 &
  echo $! > "$pid_file"
  wait_until 90 "$pid_file" "$mark" sql -e 'SELECT 1' || { tail -n 20 "$log" "$folder/output.log" >&2; fail "$name did not start"; }
  if [ ! -f "$folder/.users" ]; then
    create_users | sql
    [ -z "$follows" ] || follow "$follows" | sql
    touch "$folder/.users"
  fi
  echo "$name: pid $(running_pid "$pid_file" "$mark"), 127.0.0.1:$port, $(sql -N -e 'SELECT @@version')"
}

# An initialised data folder is made once for a server and copied for every instance: seconds become tenths.
make_template() {
  local template=$HEADWATER_STACK_DIR/data/$server.template
  [ ! -e "$template/$initialised" ] || return 0
  rm -rf "$template" "$template.new"; mkdir -p "$template.new"
  initialise "$template.new" >"$template.log" 2>&1 || { tail -n 20 "$template.log" >&2; fail "$server cannot make a data folder"; }
  rm -f "$template.new/auto.cnf"
  mv "$template.new" "$template"
}

signal() { signal_process "$1" "$pid_file" "$mark" "$name"; }
stop() { end_process "$pid_file" "$mark" "$name" 60; }
wipe() { stop; rm -rf "${folder:?}" "$socket" "$socket.lock"; }

. "$stack_scripts/$flavor.sh"

case $command in
  install) install;;
  start)   start;;
  stop)    stop;;
  wipe)    wipe;;
  kill)    signal KILL;;
  pause)   signal STOP;;
  resume)  signal CONT;;
  status)  report_process "$pid_file" "$mark" "$name" "127.0.0.1:$port";;
  port)    echo "$port";;
  socket)  echo "$socket";;
  data)    echo "$data";;
  root)    echo "$root";;
  sql)     sql "${arguments[@]}";;
  binlog)  "$root/run/$binlog_client" --no-defaults "${arguments[@]}";;
  promote) [ "$flavor" = postgres ] || usage; promote;;
  receive) [ "$flavor" = postgres ] || usage; receive "${arguments[@]}";;
  *) usage;;
esac
