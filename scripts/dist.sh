#!/usr/bin/env bash
# dist.sh: the binary as it is published, in dist/headwater-VERSION-SYSTEM.tar.gz with a checksum. OpenSSL is inside.
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
prepare_build
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
system=$(rustc -vV | sed -n 's/^host: //p')
name=headwater-$version-$system
# What GET / of the REST API says; a container's build, which has no repository, is told (--build-arg HEADWATER_COMMIT=…).
HEADWATER_COMMIT=${HEADWATER_COMMIT:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}; export HEADWATER_COMMIT
OPENSSL_NO_VENDOR=0 cargo build --locked --profile dist --bin headwater
rm -rf "dist/$name"; mkdir -p "dist/$name"
cp target/dist/headwater LICENSE "dist/$name/"
tar -czf "dist/$name.tar.gz" --owner=0 --group=0 -C dist "$name"
rm -rf "dist/$name"
(cd dist && sha256sum "$name.tar.gz" | tee "$name.tar.gz.sha256")
