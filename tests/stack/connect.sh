#!/usr/bin/env bash
# connect.sh start | stop | status | kill | pause | resume | wipe | plugins | put NAME [FILE] | state NAME | delete NAME
# The original, to compare with: one distributed Kafka Connect worker with Debezium for MySQL and MariaDB and Confluent's
# Avro converter, REST on 127.0.0.1:18083. "put" reads a connector's configuration (a JSON object) from FILE or standard input.
# Default converters: JSON without schemas.
# Environment: CONNECT_PORT, CONNECT_DATA (folder), CONNECT_BOOTSTRAP (127.0.0.1:19092), CONNECT_GROUP (group and prefix of its topics),
#              CONNECT_HEAP (1g), CONNECT_JAVA (an option of java's), CONNECT_OPTIONS (more lines of the worker's properties; later ones win)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
port=${CONNECT_PORT:-18083} group=${CONNECT_GROUP:-connect}
folder=${CONNECT_DATA:-$HEADWATER_STACK_DIR/data/connect-$port}
url=http://127.0.0.1:$port properties=$folder/worker.properties
installed=$HEADWATER_STACK_DIR/java-connect
process=("$folder/pid" "$properties" connect)
# Its own word first: another server on the same port would answer too.
answers() { grep -q 'Kafka Connect started' "$folder/output.log" && curl -fsS -m 2 "$url/connectors"; }
worker_properties() {
  cat <<P
bootstrap.servers=${CONNECT_BOOTSTRAP:-127.0.0.1:19092}
group.id=$group
listeners=$url
rest.advertised.host.name=127.0.0.1
rest.advertised.port=$port
plugin.path=$installed/plugins
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
config.storage.topic=$group-configs
config.storage.replication.factor=1
offset.storage.topic=$group-offsets
offset.storage.partitions=5
offset.storage.replication.factor=1
status.storage.topic=$group-status
status.storage.partitions=2
status.storage.replication.factor=1
offset.flush.interval.ms=10000
${CONNECT_OPTIONS:-}
P
}
start() {
  local id
  "$stack_scripts/java.sh" install connect
  command -v curl >/dev/null || packages curl
  if id=$(running_pid "$folder/pid" "$properties"); then echo "connect: already running, pid $id, $url"; return; fi
  mkdir -p "$folder"
  worker_properties > "$properties"
  setsid "$("$stack_scripts/java.sh" java 17)" "-Xms${CONNECT_HEAP:-1g}" "-Xmx${CONNECT_HEAP:-1g}" -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 \
    -Djava.awt.headless=true ${CONNECT_JAVA:+"$CONNECT_JAVA"} "-Dlog4j2.configurationFile=file:$stack_scripts/log4j2.properties" \
    -cp "$installed/connect/*" org.apache.kafka.connect.cli.ConnectDistributed "$properties" </dev/null >"$folder/output.log" 2>&1 &
  echo $! > "$folder/pid"
  wait_until 120 "$folder/pid" "$properties" answers || { tail -n 20 "$folder/output.log" >&2; fail "Connect did not start"; }
  echo "connect: pid $(cat "$folder/pid"), $url"
}
case ${1:-} in
  start)   start;;
  stop)    end_process "${process[@]}";;
  wipe)    end_process "${process[@]}"; rm -rf "${folder:?}";;   # its topics stay in Kafka
  kill)    signal_process KILL "${process[@]}";;
  pause)   signal_process STOP "${process[@]}";;
  resume)  signal_process CONT "${process[@]}";;
  status)  report_process "${process[@]}" "$url";;
  plugins) curl -fsS "$url/connector-plugins?connectorsOnly=false"; echo;;
  put)     curl -sS -X PUT -H 'Content-Type: application/json' --data-binary "@${3:--}" "$url/connectors/$2/config"; echo;;
  state)   curl -fsS "$url/connectors/$2/status"; echo;;
  delete)  curl -fsS -X DELETE "$url/connectors/$2";;
  *) usage;;
esac
