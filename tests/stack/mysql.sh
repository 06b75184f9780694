# Sourced by database.sh: what is particular to MySQL.
daemon=mysqld client=mysql binlog_client=mysqlbinlog initialised=mysql.ibd
client_options=()
[ "$server" = mysql-8.0 ] || client_options=(--commands=ON)   # later clients refuse \G and its like without it
base_options=(--no-defaults --basedir="$root/usr" --lc-messages-dir="$root/usr/share/mysql" --character-sets-dir="$root/usr/share/mysql/charsets"
  --plugin-dir="$root/usr/lib/mysql/plugin" --user="$(id -un)" --secure-file-priv= --mysqlx=OFF)   # the compiled-in folder of secure-file-priv does not exist
server_options=(--gtid-mode=ON --enforce-gtid-consistency=ON --log-replica-updates=ON --innodb-redo-log-capacity=64M)

install() {
  if [ "$server" = mysql-8.0 ]; then "$stack_scripts/mysql-8.0-root.sh" "$root"
  else "$stack_scripts/debian-root.sh" sid "$root" mysql-server-core mysql-client-core; fi
}

initialise() { "$root/run/mysqld" "${base_options[@]}" --datadir="$1" --initialize-insecure; }

create_users() {
  local user
  echo "SET sql_log_bin = 0;"
  for user in "root@127.0.0.1 rootpw" "cdc@% cdcpw" "app@% apppw" "repl@% replpw"; do
    set -- "${user%% *}" "${user##* }"
    echo "CREATE USER IF NOT EXISTS '${1%@*}'@'${1#*@}' IDENTIFIED WITH caching_sha2_password BY '$2';"
  done
  cat <<'S'
GRANT ALL ON *.* TO root@127.0.0.1 WITH GRANT OPTION;
GRANT ALL ON *.* TO app@'%';
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO cdc@'%';
GRANT REPLICATION SLAVE ON *.* TO repl@'%';
S
}

follow() { # PORT
  cat <<S
CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = $1, SOURCE_USER = 'repl', SOURCE_PASSWORD = 'replpw',
  SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400;
START REPLICA;
SET PERSIST read_only = ON;
S
}
