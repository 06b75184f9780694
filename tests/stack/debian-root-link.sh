#!/usr/bin/env bash
# debian-root-link.sh DIRECTORY
# Writes the loader and library path of an unpacked Debian directory into its programs and links them in DIRECTORY/run.
# Run again after files were added. Files that carry them already, scripts and static programs are left as they are.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/service.sh"
[ $# = 1 ] || usage
root=$1
loader=$(ls "$root"/usr/lib/*/ld-linux-*.so.* | head -n 1)
libraries=$(dirname "$loader"):$root/usr/lib/mysql/private
for extra in "$root"/usr/lib/llvm-*/lib; do [ ! -d "$extra" ] || libraries=$libraries:$extra; done
# patchelf comes from the same directory and may need a newer libc than the machine's: its loader is called by name.
patch() { "$loader" --library-path "$(dirname "$loader")" "$root/usr/bin/patchelf" "$@"; }
mkdir -p "$root/run"
for program in "$root"/usr/bin/* "$root"/usr/sbin/* "$root"/usr/lib/postgresql/*/bin/*; do
  [ -f "$program" ] && [ ! -L "$program" ] && [ -x "$program" ] && [ "${program##*/}" != patchelf ] || continue
  current=$(patch --print-interpreter "$program" 2>/dev/null) || continue
  [ "$current" = "$loader" ] || patch --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$program"
  ln -sf "$program" "$root/run/${program##*/}"
done
# A library with a run path of its own (LLVM's) does not look along its program's, so it gets ours.
for library in "$(dirname "$loader")"/lib*.so*; do
  [ -f "$library" ] && [ ! -L "$library" ] || continue
  case $(patch --print-rpath "$library" 2>/dev/null) in ''|"$libraries") ;; *) patch --force-rpath --set-rpath "$libraries" "$library";; esac
done
