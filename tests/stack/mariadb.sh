# Sourced by database.sh: what is particular to MariaDB.
daemon=mariadbd client=mariadb binlog_client=mariadb-binlog initialised=mysql/global_priv.MAI
client_options=()
# Before 11 the shared files lie under MySQL's name.
set_base_options() {
  if [ -d "$root/usr/share/mariadb/charsets" ]; then share=$root/usr/share/mariadb; else share=$root/usr/share/mysql; fi
  base_options=(--no-defaults --basedir="$root/usr" --lc-messages-dir="$share" --character-sets-dir="$share/charsets"
    --plugin-dir="$root/usr/lib/mysql/plugin" --user="$(id -un)")
}
server_options=(--gtid-strict-mode=ON --gtid-domain-id=0 --log-slave-updates=ON --log-bin-compress-min-len=10 --binlog-annotate-row-events=ON)

install() {
  local suite version=
  case $server in
    mariadb-10.5) suite=bullseye version=-10.5;;
    mariadb-10.11) suite=bookworm;;
    *) suite=trixie;;
  esac
  "$stack_scripts/debian-root.sh" "$suite" "$root" "mariadb-server-core$version" "mariadb-client-core$version" "mariadb-client$version"
  [ -e "$root/usr/lib/mysql/plugin/auth_ed25519.so" ] || locked "$server-plugins" install_plugins "$suite" "mariadb-server$version"
  set_base_options
}

# Authentication by ed25519 and parsec and the encryption of binlogs are plugins in a package whose dependencies are not wanted.
install_plugins() { # SUITE PACKAGE
  "$stack_scripts/debian-root.sh" "$1" "$root.plugins" "+$2"
  mkdir -p "$root/usr/lib/mysql/plugin"
  cp -a "$root.plugins/usr/lib/mysql/plugin/." "$root/usr/lib/mysql/plugin/"
  rm -rf "$root.plugins"
}

# What mariadb-install-db does, without its shell wrapper and without its anonymous users.
initialise() {
  local part file
  mkdir -p "$1/mysql"
  {
    printf '%s\n' 'create database if not exists mysql;' 'use mysql;' 'set @auth_root_socket = null;' 'set @skip_auth_anonymous = 1;'
    for part in system_tables performance_tables system_tables_data fill_help_tables maria_add_gis_sp_bootstrap sys_schema; do
      for file in "mariadb_$part.sql" "mysql_$part.sql" "$part.sql"; do
        if [ -f "$share/$file" ]; then cat "$share/$file"; echo; break; fi
      done
    done
  } | "$root/run/mariadbd" "${base_options[@]}" --datadir="$1" --bootstrap --log-warnings=0 --enforce-storage-engine= --max_allowed_packet=8M --net_buffer_length=16K
}

create_users() {
  cat <<'S'
SET sql_log_bin = 0;
CREATE USER IF NOT EXISTS root@127.0.0.1 IDENTIFIED BY 'rootpw';
CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY 'apppw';
CREATE USER IF NOT EXISTS cdc@'%' IDENTIFIED BY 'cdcpw';
CREATE USER IF NOT EXISTS repl@'%' IDENTIFIED BY 'replpw';
GRANT ALL ON *.* TO root@127.0.0.1 WITH GRANT OPTION;
GRANT ALL ON *.* TO app@'%';
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, BINLOG MONITOR, LOCK TABLES ON *.* TO cdc@'%';
GRANT REPLICATION SLAVE ON *.* TO repl@'%';
S
}

follow() { # PORT; from 11 on a replica checks the source's certificate unless told not to
  local verify=
  case $server in
    mariadb-10.*) ;;
    *) verify=', MASTER_SSL_VERIFY_SERVER_CERT = 0';;
  esac
  echo "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = $1, MASTER_USER = 'repl', MASTER_PASSWORD = 'replpw', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1$verify;"
  echo "START SLAVE;"
}
