#!/usr/bin/env bash
# demo.sh [ARGUMENT...]: builds Headwater and runs "headwater demo ARGUMENT...".
# Unless an argument names a database of your own (--database…), a MariaDB server is started on loopback for the demo and
# removed after it. The demo finds it in HEADWATER_DEMO_DATABASE (host:port), HEADWATER_DEMO_USER and HEADWATER_DEMO_PASSWORD.
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
prepare_build
cargo build --release --bin headwater

case " $* " in
  *' --database'*|*' --help '*|*' -h '*) exec target/release/headwater demo "$@";;
esac
if [ -n "${HEADWATER_DEMO_DATABASE:-}" ]; then exec target/release/headwater demo "$@"; fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/headwater-demo.XXXXXX")
export DATABASE_DATA=$scratch/server DATABASE_PORT
DATABASE_PORT=$(free_port)
database() { tests/stack/database.sh "$1" mariadb-11.8 demo; }
remove() { database wipe >/dev/null 2>&1 || true; rm -rf "$scratch"; }
trap remove EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
say "starting a MariaDB server for the demo on 127.0.0.1:$DATABASE_PORT; it will be removed"
database start >/dev/null
export HEADWATER_DEMO_DATABASE=127.0.0.1:$DATABASE_PORT HEADWATER_DEMO_USER=app HEADWATER_DEMO_PASSWORD=apppw
target/release/headwater demo "$@"
