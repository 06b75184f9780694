# Sourced by the other scripts: what a machine needs to build Headwater. Installs what is missing, says what, asks nothing.
# Compilers and headers come from the machine's own apt. Rust is the one on the PATH (or in ~/.cargo) when it is new enough
# for Cargo.toml's rust-version; otherwise Debian's current one is unpacked into a folder of its own, beside the test servers.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$project"
. "$project/tests/stack/service.sh"

prepare_packages() {
  local missing=()
  command -v gcc >/dev/null || missing+=(gcc libc6-dev)
  command -v g++ >/dev/null || missing+=(g++)
  command -v make >/dev/null || missing+=(make)
  perl -MFindBin -MIPC::Cmd -e 1 2>/dev/null || missing+=(perl)   # OpenSSL's build wants more than the minimal one
  command -v curl >/dev/null || missing+=(curl)
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  command -v flock >/dev/null || missing+=(util-linux)
  [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
  [ -e /usr/include/openssl/ssl.h ] || missing+=(libssl-dev)
  [ ${#missing[@]} = 0 ] || packages "${missing[@]}"
}

# version_at_least WANTED FOUND
version_at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# usable_rust FOLDER WANTED: cargo and rustc are in FOLDER, start, and are new enough.
usable_rust() {
  local found
  [ -x "$1/cargo" ] || return 1
  found=$("$1/rustc" --version 2>/dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p')
  [ -n "$found" ] && "$1/cargo" --version >/dev/null 2>&1 && version_at_least "$2" "$found"
}

prepare_rust() {
  local wanted folder private=$HEADWATER_STACK_DIR/rust-bin program
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  for folder in "$(dirname "$(command -v cargo || echo /nowhere/cargo)")" "$HOME/.cargo/bin"; do
    if usable_rust "$folder" "$wanted"; then PATH=$folder:$PATH; return; fi
  done
  say "no Rust $wanted or later on this machine: using Debian's current one"
  "$project/tests/stack/debian-root.sh" sid "$HEADWATER_STACK_DIR/rust" cargo rustc rust-clippy rustfmt
  mkdir -p "$private"   # only these: the folder they come from also holds programs that must not hide the machine's
  for program in cargo rustc rustdoc cargo-clippy clippy-driver cargo-fmt rustfmt; do ln -sfn "$HEADWATER_STACK_DIR/rust/run/$program" "$private/$program"; done
  usable_rust "$private" "$wanted" || fail "Debian's current Rust does not start here or is older than $wanted; install Rust $wanted or later by hand (https://rustup.rs) and run this again"
  PATH=$private:$PATH
}

prepare_build() {
  prepare_packages
  prepare_rust
  export PATH
  say "$(cargo --version), $(gcc --version | head -n 1)"
}

# A port on loopback that nothing listens on just now.
free_port() {
  local port
  for _ in $(seq 1 50); do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  fail "no free port between 20000 and 32000"
}
