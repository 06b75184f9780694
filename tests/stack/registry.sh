#!/usr/bin/env bash
# registry.sh start | stop | status | kill | pause | resume | wipe | url | subjects
# Apicurio Registry with Confluent's API, in memory (empty after every start), on 127.0.0.1:18081.
# Environment: REGISTRY_PORT (the port after it is used too), REGISTRY_DATA (folder for its log and id), REGISTRY_OPTIONS (more -D options)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
port=${REGISTRY_PORT:-18081}
folder=${REGISTRY_DATA:-$HEADWATER_STACK_DIR/data/registry-$port}
url=http://127.0.0.1:$port/apis/ccompat/v7
mark=-Dheadwater.stack.registry=$folder
process=("$folder/pid" "$mark" registry)
subjects() { curl -fsS -m 2 "$url/subjects"; }
# Its own word first: another server on the same port would answer too.
answers() { grep -q 'Listening on' "$folder/output.log" && subjects; }
start() {
  local id java
  "$stack_scripts/java.sh" install broker
  command -v curl >/dev/null || packages curl
  if id=$(running_pid "$folder/pid" "$mark"); then echo "registry: already running, pid $id, $url"; return; fi
  java=$("$stack_scripts/java.sh" java 21)
  mkdir -p "$folder"
  # shellcheck disable=SC2086 # the options are words on purpose
  setsid "$java" -Xmx512m -XX:+UseSerialGC "$mark" -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$port" \
    -Dquarkus.management.host=127.0.0.1 -Dquarkus.management.port=$((port + 1)) ${REGISTRY_OPTIONS:-} \
    -jar "$HEADWATER_STACK_DIR/java-broker/registry/quarkus-run.jar" </dev/null >"$folder/output.log" 2>&1 &
  echo $! > "$folder/pid"
  wait_until 120 "$folder/pid" "$mark" answers || { tail -n 20 "$folder/output.log" >&2; fail "the registry did not start"; }
  echo "registry: pid $(cat "$folder/pid"), $url"
}
case ${1:-} in
  start)    start;;
  stop)     end_process "${process[@]}";;
  wipe)     end_process "${process[@]}"; rm -rf "${folder:?}";;
  kill)     signal_process KILL "${process[@]}";;
  pause)    signal_process STOP "${process[@]}";;
  resume)   signal_process CONT "${process[@]}";;
  status)   report_process "${process[@]}" "$url";;
  url)      echo "$url";;
  subjects) subjects; echo;;
  *) usage;;
esac
