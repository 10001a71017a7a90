#!/bin/sh
# Writes the four lock files: every package with its digests, the same version in all of them. Needs uv.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url --no-emit-find-links "$@"
}
compile requirements.txt -o requirements.lock
compile requirements-test.txt -c requirements.lock -o requirements-test.lock
compile requirements-dev.txt -c requirements-test.lock -o requirements-dev.lock
compile requirements-bench.txt -c requirements-dev.lock -o requirements-bench.lock
