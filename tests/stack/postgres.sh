# Sourced by database.sh: what is particular to PostgreSQL. It has its own way of starting, stopping and following, so most
# functions of database.sh are written anew here. A server refuses to run as root; under root it runs as nobody.
# A standby is followed by slot synchronisation from 17 on: its slot on the primary is named standby_PORT, and logical
# failover slots of the primary wait for it (synchronized_standby_slots) until the standby is wiped.
version=${server#postgres-}
case $version in
  # No suite of Debian has these: they come as a Maven artifact, which holds a server and contrib, and no client.
  14|16) programs=$root/bin extension_files=$root/share/postgresql/extension
         clients=$HEADWATER_STACK_DIR/postgres-17/usr/lib/postgresql/17/bin;;
  *)     programs=$root/usr/lib/postgresql/$version/bin extension_files=$root/usr/share/postgresql/$version/extension
         clients=$programs;;
esac
mark="-D $data"

# Left out of what the packages need: scripts around the server, just-in-time compiling, rasters, tables of projections.
install() {
  local suite extensions=("postgresql-$version-postgis-3") without=(postgresql-common postgresql-client-common locales perl proj-data tzdata ssl-cert debconf)
  command -v openssl >/dev/null || packages openssl
  [ -e /usr/share/zoneinfo/UTC ] || packages tzdata   # Debian's servers read the system's
  case $version in
    14) from_maven 14.24.0; return;;
    16) from_maven 16.15.0; return;;
    15) suite=bookworm; without+=(libllvm14 libgdal32 libsfcgal1 libperl5.36);;
    17) suite=trixie; without+=(libllvm19 libgdal36 libsfcgal2 libperl5.40); extensions+=("postgresql-$version-pgvector");;
    *)  suite=sid; without+=(libgdal39 libsfcgal2 libperl5.42); extensions+=("postgresql-$version-pgvector");;
  esac
  "$stack_scripts/debian-root.sh" "$suite" "$root" "postgresql-$version" "${extensions[@]}" "${without[@]/#/-}"
  # Which of several versions of PostGIS is meant is Debian's alternatives' to say; here there is one.
  [ -e "$extension_files/postgis.control" ] || ln -s postgis-3.control "$extension_files/postgis.control"
}

from_maven() { # VERSION
  local architecture artifact
  architecture=$(dpkg --print-architecture)
  artifact=io.zonky.test.postgres:embedded-postgres-binaries-linux-${architecture/arm64/arm64v8}:$1
  "$stack_scripts/database.sh" install postgres-17
  locked "$server-programs" unpack "$artifact"
}

unpack() { # ARTIFACT
  [ "$(cat "$root/.ready" 2>/dev/null)" != "$1" ] || return 0
  command -v mvn >/dev/null || packages maven default-jre-headless
  command -v unzip >/dev/null || packages unzip
  command -v xz >/dev/null || packages xz-utils
  say "unpacking $1 into $root"
  rm -rf "$root"; mkdir -p "$root"
  mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact="$1" -DoutputDirectory="$root" >"$root/maven.log" 2>&1 ||
    { grep -m 5 ERROR "$root/maven.log" >&2; fail "Maven could not fetch $server; all of it is in $root/maven.log"; }
  unzip -p "$root"/*.jar '*.txz' | tar -xJ -C "$root"
  rm -f "$root"/*.jar
  echo "$1" > "$root/.ready"
}

owner=(env LC_ALL=C.UTF-8)
[ "$(id -u)" != 0 ] || owner=(setpriv --reuid=nobody --regid=nogroup --clear-groups "${owner[@]}" HOME=/tmp)
as_owner() { "${owner[@]}" "$@"; }

# A temporary folder is closed to everybody else, so also to nobody: it may be passed through, not read.
open_way() {
  local part=$folder
  [ "$(id -u)" = 0 ] || return 0
  while part=$(dirname "$part"); [ "$part" != / ]; do
    case $(stat -c %a "$part") in *[1357]) continue;; esac
    case $part in "${TMPDIR:-/tmp}"/*) chmod o+x "$part";; *) fail "a server that does not run as root cannot enter $part: choose another DATABASE_DATA or HEADWATER_STACK_DIR";; esac
  done
}

sql() { PGPASSWORD=postgrespw PGCONNECT_TIMEOUT=10 "$clients/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres -d postgres "$@"; }
sql_of_primary() { local port=$follows; sql "$@"; }
receive() { PGPASSWORD=cdcpw "$clients/pg_recvlogical" -h 127.0.0.1 -p "$port" -U cdc "$@"; }

# The server's processes, wherever they come from: each works in the data folder.
processes() { find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname "$(readlink -m "$data")" 2>/dev/null | cut -d/ -f3; }
all_gone() { local id; for id in $(processes); do ! process_lives "$id" || return 1; done; }
wait_all_gone() { local tenths=100; until all_gone; do [ "$tenths" -gt 0 ] || fail "$name: processes of an earlier run do not end"; tenths=$((tenths - 1)); sleep 0.1; done; }

signal() { # KILL | STOP | CONT
  signal_process "$1" "$pid_file" "$mark" "$name" || return
  local id
  for id in $(processes); do kill "-$1" "$id" 2>/dev/null || true; done
  [ "$1" != KILL ] || wait_all_gone
}

# A fast stop, which waits for the receivers of replication and for nobody else; who does not take their data in time is left behind.
stop() {
  local id
  if id=$(running_pid "$pid_file" "$mark"); then kill -CONT $(processes) 2>/dev/null || true; fi
  end_process "$pid_file" "$mark" "$name" 20 INT
  wait_all_gone
}

settings() {
  cat <<C
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
ssl = on
ssl_ca_file = 'ca.pem'
ssl_cert_file = 'server-cert.pem'
ssl_key_file = 'server-key.pem'
password_encryption = 'scram-sha-256'
wal_level = logical
max_wal_senders = 50
max_replication_slots = 50
max_prepared_transactions = 10
max_slot_wal_keep_size = 8GB
wal_keep_size = 64MB
hot_standby = on
hot_standby_feedback = on
# The least there is: a transaction of some hundred rows is streamed already, to who asks for streaming.
logical_decoding_work_mem = 64kB
# A machine that loses power loses its tests. Not synchronous_commit: without it decoding sees a commit late.
fsync = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 200
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d %a '
C
  if [ -n "$follows" ]; then
    echo "primary_conninfo = 'host=127.0.0.1 port=$follows user=repl password=replpw dbname=postgres application_name=standby_$port'"
    echo "primary_slot_name = 'standby_$port'"
    [ "$version" -lt 17 ] || echo "sync_replication_slots = on"
  fi
}

# Users who log in in one certain way have its name; all may do what cdc may.
access() {
  cat <<'H'
local   all,replication  all          trust
host    all,replication  by_md5       127.0.0.1/32  md5
host    all,replication  by_password  127.0.0.1/32  password
hostssl all,replication  by_tls       127.0.0.1/32  scram-sha-256
hostssl all,replication  by_cert      127.0.0.1/32  cert
host    all,replication  by_cert,by_tls 127.0.0.1/32 reject
host    all,replication  all          127.0.0.1/32  scram-sha-256
H
}

roles() {
  local user
  echo "ALTER ROLE postgres PASSWORD 'postgrespw';"
  echo "CREATE ROLE app LOGIN SUPERUSER PASSWORD 'apppw';"
  echo "CREATE ROLE repl LOGIN SUPERUSER REPLICATION PASSWORD 'replpw';"
  echo "CREATE ROLE cdc LOGIN REPLICATION PASSWORD 'cdcpw';"
  echo "GRANT pg_read_all_data, pg_monitor TO cdc;"
  for user in by_password:passwordpw by_tls:tlspw by_cert:certpw; do echo "CREATE ROLE ${user%:*} LOGIN REPLICATION IN ROLE cdc PASSWORD '${user#*:}';"; done
  echo "SET password_encryption = 'md5';"
  echo "CREATE ROLE by_md5 LOGIN REPLICATION IN ROLE cdc PASSWORD 'md5pw';"
  for extension in postgis vector hstore ltree citext isn; do
    [ ! -e "$extension_files/$extension.control" ] || echo "CREATE EXTENSION $extension;"
  done
}

# One authority, a certificate of the server for 127.0.0.1 and localhost, one of a client for the user by_cert.
certificates() { # DIRECTORY
  (
    cd "$1"
    key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
    sign() { openssl x509 -req -in "$1" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 3650 -sha256 "${@:2}"; }
    key ca-key.pem; key server-key.pem; key client-key.pem
    openssl req -x509 -new -key ca-key.pem -days 3650 -sha256 -subj "/CN=Headwater tests" -out ca.pem
    openssl req -new -key server-key.pem -subj "/CN=localhost" -out server.request
    sign server.request -out server-cert.pem -extfile <(echo "subjectAltName = DNS:localhost, IP:127.0.0.1")
    openssl req -new -key client-key.pem -subj "/CN=by_cert" -out client.request
    sign client.request -out client-cert.pem
    openssl pkcs8 -topk8 -nocrypt -in client-key.pem -outform DER -out client-key.pk8   # the form that Java's driver reads
    rm -f ./*.request ./*.srl
    chmod 600 ./*-key.*
  )
}

make_template() {
  local template=$HEADWATER_STACK_DIR/data/$server.template new
  [ ! -e "$template/PG_VERSION" ] || return 0
  new=$template.new
  rm -rf "$template" "$new"; mkdir -p "$new"
  certificates "$new" >"$template.log" 2>&1 || { tail -n 20 "$template.log" >&2; fail "$server: no certificates"; }
  mkdir "$new/data"
  [ "$(id -u)" != 0 ] || chown -R nobody:nogroup "$new"
  as_owner "$programs/initdb" -D "$new/data" -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync >>"$template.log" 2>&1 || { tail -n 20 "$template.log" >&2; fail "$server cannot make a data folder"; }
  mv "$new"/*.pem "$new"/*.pk8 "$new/data"
  access | as_owner tee "$new/data/pg_hba.conf" >/dev/null
  echo "include 'stack.conf'" | as_owner tee -a "$new/data/postgresql.conf" >/dev/null
  as_owner touch "$new/data/stack.conf"
  roles | as_owner "$programs/postgres" --single -D "$new/data" -c fsync=off -c unix_socket_directories= postgres >>"$template.log" 2>&1 || true
  # A single user's session goes on after an error and ends well.
  if grep -E '(ERROR|FATAL|PANIC):' "$template.log" >&2; then fail "$server: see $template.log"; fi
  mv "$new/data" "$template"; rm -rf "$new"
}

copy_primary() {
  sql_of_primary -At -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'standby_$port'" >/dev/null
  PGPASSWORD=replpw as_owner "$clients/pg_basebackup" -D "$data" -h 127.0.0.1 -p "$follows" -U repl -X stream -c fast --no-sync -C -S "standby_$port"
  # After a promotion nothing must wait for what followed the primary before.
  as_owner sed -i '/^synchronized_standby_slots/d' "$data/postgresql.auto.conf"
  as_owner touch "$data/standby.signal"
}

# Logical slots for failover hold back for the standby, so that what a connector has seen is there after a failover.
wait_for_standby() { # the standby's slot, or nothing
  [ "$version" -ge 17 ] || return 0
  if [ -n "$1" ]; then sql_of_primary -c "ALTER SYSTEM SET synchronized_standby_slots = '$1'"; else sql_of_primary -c "ALTER SYSTEM RESET synchronized_standby_slots"; fi
  sql_of_primary -At -c "SELECT pg_reload_conf()" >/dev/null
}

start() {
  local id_now new=
  install
  if id_now=$(running_pid "$pid_file" "$mark"); then echo "$name: already running, pid $id_now, 127.0.0.1:$port"; return; fi
  [ -n "$port" ] || fail "instance $instance needs DATABASE_PORT"
  mkdir -p "$folder"
  open_way
  wait_all_gone
  if [ ! -f "$data/PG_VERSION" ]; then
    new=1
    rm -rf "$data"
    if [ -n "$follows" ]; then
      [ "$(id -u)" != 0 ] || chown nobody:nogroup "$folder"
      copy_primary
    else
      locked "$server-template" make_template
      cp -a "$HEADWATER_STACK_DIR/data/$server.template" "$data"
    fi
  fi
  rm -f "$data/postmaster.pid"   # no process of it lives; one that only waits to be reaped would keep it from starting
  settings | as_owner tee "$data/stack.conf" >/dev/null
  # shellcheck disable=SC2086 # the options are words on purpose
  setsid "${owner[@]}" "$programs/postgres" -D "$data" ${DATABASE_OPTIONS:-} </dev/null >>"$log" 2>&1 &
  echo $! > "$pid_file"
  wait_until 90 "$pid_file" "$mark" sql -c 'SELECT 1' || { tail -n 20 "$log" >&2; fail "$name did not start"; }
  if [ -n "$new" ] && [ -n "$follows" ]; then wait_for_standby "standby_$port"; fi
  echo "$name: pid $(running_pid "$pid_file" "$mark"), 127.0.0.1:$port, $(sql -At -c 'SHOW server_version')"
}

promote() { as_owner "$programs/pg_ctl" -D "$data" -w promote >/dev/null && echo "$name: promoted"; }

wipe() {
  if running_pid "$pid_file" "$mark" >/dev/null; then signal KILL; fi
  rm -rf "${folder:?}"
  [ -n "$follows" ] || return 0
  # The primary keeps log for a standby, and lets others wait for it, only as long as there is one.
  { wait_for_standby ''; sql_of_primary -At -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'standby_$port'"; } >/dev/null 2>&1 || true
}
