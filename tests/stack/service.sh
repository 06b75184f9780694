# Sourced by every script of this folder; not run by itself.
# Where things lie, and how a server process is started, found and ended. A process is ours only when its id stands in
# our file AND its command line carries our mark: an id that the system has given to somebody else is never signalled.

stack_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -z "${HEADWATER_STACK_DIR:-}" ]; then
  if [ "$(id -u)" = 0 ]; then HEADWATER_STACK_DIR=/var/cache/headwater-stack
  else HEADWATER_STACK_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/headwater-stack; fi
fi
export HEADWATER_STACK_DIR

say() { echo "stack: $*" >&2; }
fail() { say "$*"; exit 1; }
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

# A process that has ended but was not yet reaped by its parent counts as gone.
process_lives() { [ -r "/proc/$1/status" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

# running_pid PID_FILE MARK: prints the id, or fails.
running_pid() {
  local id
  [ -s "$1" ] && read -r id < "$1" && process_lives "$id" || return 1
  tr '\0' ' ' < "/proc/$id/cmdline" 2>/dev/null | grep -qF -- "$2" || return 1
  echo "$id"
}

# end_process PID_FILE MARK NAME [SECONDS [SIGNAL]]: asks, waits, then insists. A stopped process is woken to hear the question.
end_process() {
  local id tenths=$(( ${4:-30} * 10 ))
  if ! id=$(running_pid "$1" "$2"); then echo "$3: not running"; return 0; fi
  kill "-${5:-TERM}" "$id" && kill -CONT "$id" || true
  while [ "$tenths" -gt 0 ] && process_lives "$id"; do sleep 0.1; tenths=$((tenths - 1)); done
  if process_lives "$id"; then kill -KILL "$id" || true; while process_lives "$id"; do sleep 0.05; done; fi
  echo "$3: stopped"
}

# signal_process SIGNAL PID_FILE MARK NAME. One that is killed is gone when this returns: it may be started anew at once.
signal_process() {
  local id
  id=$(running_pid "$2" "$3") || { echo "$4: not running"; return 3; }
  kill "-$1" "$id" && echo "$4: $1 sent to $id"
  if [ "$1" = KILL ]; then while process_lives "$id"; do sleep 0.02; done; fi
}

# report_process PID_FILE MARK NAME WHERE
report_process() {
  local id
  id=$(running_pid "$1" "$2") || { echo "$3: not running"; return 3; }
  echo "$3: running, pid $id, $4, $(awk '/VmRSS/{print int($2/1024)" MiB"}' "/proc/$id/status")"
}

# wait_until SECONDS PID_FILE MARK COMMAND...: COMMAND succeeds in time and the process still lives.
# A freshly started process gets two seconds to appear with its own command line (setsid executes it in place).
wait_until() {
  local tenths=$(( $1 * 10 )) grace=20 file=$2 mark=$3; shift 3
  while [ "$tenths" -gt 0 ]; do
    if "$@" >/dev/null 2>&1; then return 0; fi
    if running_pid "$file" "$mark" >/dev/null; then grace=0
    elif [ -s "$file" ] && process_lives "$(cat "$file")"; then :   # on a busy machine it may be long before it is what it shall be
    elif [ "$grace" -gt 0 ]; then grace=$((grace - 1)); else return 1; fi
    sleep 0.1; tenths=$((tenths - 1))
  done
  return 1
}

# locked NAME COMMAND...: one at a time on this machine; for installs that two tests may ask for together.
# The lock is taken in a subshell, so no server inherits it.
locked() {
  local name=$1; shift
  mkdir -p "$HEADWATER_STACK_DIR"
  ( flock -w 900 9 || fail "another install of $name does not end"; "$@" ) 9>"$HEADWATER_STACK_DIR/.$name.lock"
}

# packages NAME...: what the machine itself must have, through its own apt.
packages() {
  local as=
  [ "$(id -u)" = 0 ] || as=sudo
  command -v apt-get >/dev/null || fail "this machine has no apt-get; install by hand: $*"
  [ -z "$as" ] || command -v sudo >/dev/null || fail "not root and no sudo; as root run: apt-get install $*"
  say "installing: $*"
  $as env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
