#!/usr/bin/env bash
# kafka.sh COMMAND [INSTANCE]
#   COMMAND   start | stop | status | kill | pause | resume | wipe | address
#   INSTANCE  single (default)   one broker on port 19092
#             three              three of them on 19101 to 19103, replication 3; or 1, 2, 3 for one of the three
#             a name of your own needs KAFKA_PORT (and takes the port after it for its controller)
# kafka.sh topics | consume TOPIC [COUNT] | describe TOPIC | tool CLASS [ARGUMENT...]
#   consume prints key, value, headers, partition and offset; tools ask KAFKA_BOOTSTRAP (127.0.0.1:19092)
# Apache Kafka in KRaft mode, broker and controller in one process, plain text, 127.0.0.1 only. kill = SIGKILL, pause = SIGSTOP.
# Environment: KAFKA_PORT, KAFKA_DATA (folder), KAFKA_HEAP (512m), KAFKA_OPTIONS (more lines of server.properties; later ones win)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
[ $# -ge 1 ] || usage
command=$1 what=${2:-single}
java_home=$HEADWATER_STACK_DIR/java-broker

members() { if [ "$what" = three ]; then echo 1 2 3; else echo "$what"; fi; }
port_of() {
  case $1 in
    [123]) echo $((19100 + $1));;
    single) echo "${KAFKA_PORT:-19092}";;
    *) [ -z "${KAFKA_PORT:-}" ] && [ "$command" = start ] && fail "instance $1 needs KAFKA_PORT"; echo "${KAFKA_PORT:-?}";;
  esac
}
folder_of() { case $1 in [123]) echo "${KAFKA_DATA:-$HEADWATER_STACK_DIR/data/kafka-three}/$1";; *) echo "${KAFKA_DATA:-$HEADWATER_STACK_DIR/data/kafka-$1}";; esac; }
mark_of() { echo "$(folder_of "$1")/server.properties"; }
file_of() { echo "$(folder_of "$1")/pid"; }

properties() { # MEMBER
  local port controller node=1 voters copies=1 minimum=1
  port=$(port_of "$1") controller=$(($(port_of "$1") + 1)) voters=1@127.0.0.1:$(($(port_of "$1") + 1))
  case $1 in [123]) node=$1 controller=$((19110 + $1)) voters=1@127.0.0.1:19111,2@127.0.0.1:19112,3@127.0.0.1:19113 copies=3 minimum=2;; esac
  cat <<P
process.roles=broker,controller
node.id=$node
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$(folder_of "$1")/logs
num.partitions=1
group.initial.rebalance.delay.ms=0
default.replication.factor=$copies
min.insync.replicas=$minimum
offsets.topic.num.partitions=5
offsets.topic.replication.factor=$copies
transaction.state.log.num.partitions=5
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$minimum
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$minimum
log.retention.hours=24
${KAFKA_OPTIONS:-}
P
}

launch() { # MEMBER
  local folder java; folder=$(folder_of "$1"); java=$("$stack_scripts/java.sh" java 17)
  mkdir -p "$folder"
  properties "$1" > "$folder/server.properties"
  if [ ! -f "$folder/logs/meta.properties" ]; then   # 22 characters: a UUID in Kafka's own base 64; the same for all three
    "$java" -XX:TieredStopAtLevel=1 -cp "$java_home/kafka/*" kafka.tools.StorageTool format -t aGVhZHdhdGVyLXRlc3RzMQ -c "$folder/server.properties" >"$folder/format.log" 2>&1 || { cat "$folder/format.log" >&2; return 1; }
  fi
  setsid "$java" "-Xmx${KAFKA_HEAP:-512m}" -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -Djava.awt.headless=true "-Dlog4j2.configurationFile=file:$stack_scripts/log4j2.properties" \
    -cp "$java_home/kafka/*" kafka.Kafka "$folder/server.properties" </dev/null >"$folder/output.log" 2>&1 &
  echo $! > "$folder/pid"
}

answers() { # MEMBER: it says that it has started, and its port is open
  grep -q 'Kafka Server started' "$(folder_of "$1")/output.log" && (exec 3<>"/dev/tcp/127.0.0.1/$(port_of "$1")") 2>/dev/null
}

start() {
  local member new='' id
  "$stack_scripts/java.sh" install broker
  for member in $(members); do
    if id=$(running_pid "$(file_of "$member")" "$(mark_of "$member")"); then echo "kafka $member: already running, pid $id, 127.0.0.1:$(port_of "$member")"
    else launch "$member"; new="$new $member"; fi
  done
  for member in $new; do
    wait_until 90 "$(file_of "$member")" "$(mark_of "$member")" answers "$member" || { tail -n 20 "$(folder_of "$member")/output.log" >&2; fail "kafka $member did not start"; }
    echo "kafka $member: pid $(cat "$(file_of "$member")"), 127.0.0.1:$(port_of "$member")"
  done
}

# All are asked before any is waited for: the last one left would wait minutes for a majority of controllers.
stop() {
  local member
  for member in $(members); do signal_process TERM "$(file_of "$member")" "$(mark_of "$member")" "kafka $member" >/dev/null || true; done
  for member in $(members); do end_process "$(file_of "$member")" "$(mark_of "$member")" "kafka $member" 15; done
}

each() { local member result=0; for member in $(members); do "$1" "${@:2}" "$(file_of "$member")" "$(mark_of "$member")" "kafka $member" || result=$?; done; return $result; }
status() { local member result=0; for member in $(members); do report_process "$(file_of "$member")" "$(mark_of "$member")" "kafka $member" "127.0.0.1:$(port_of "$member")" || result=$?; done; return $result; }
tool() { "$("$stack_scripts/java.sh" java 17)" -Xmx256m -XX:TieredStopAtLevel=1 -Dlog4j2.level=ERROR -cp "$java_home/kafka/*" "$@"; }
bootstrap=${KAFKA_BOOTSTRAP:-127.0.0.1:19092}

case $command in
  start)    start;;
  stop)     stop;;
  wipe)     stop; for member in $(members); do folder=$(folder_of "$member"); rm -rf "${folder:?}"; done;;
  kill)     each signal_process KILL;;
  pause)    each signal_process STOP;;
  resume)   each signal_process CONT;;
  status)   status;;
  address)  for member in $(members); do echo "127.0.0.1:$(port_of "$member")"; done | paste -sd,;;
  topics)   tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$bootstrap" --list;;
  describe) tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$bootstrap" --describe --topic "$2";;
  consume)  tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$bootstrap" --topic "$2" --from-beginning --timeout-ms 5000 ${3:+--max-messages "$3"} \
              --formatter-property print.key=true --formatter-property print.headers=true --formatter-property print.partition=true --formatter-property print.offset=true;;
  tool)     tool "${@:2}";;
  *) usage;;
esac
