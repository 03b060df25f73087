#!/usr/bin/env bash
# Reads, windows and shuffles a text file larger than memory in a JVM with -Xmx1g, and checks that no byte is lost. Then trains
# on its first batches (stories260K, 30% of the tokens), and prints off-heap memory ten times.
# Exits 1 if a byte is lost, or if off-heap memory grows by more than 5%.
# Usage: acceptance/stream.sh [BYTES [BATCHES]]; default 5000000000 and 500. Needs as much free disk space in TMPDIR.
# Needs stories260K and tinyshakespeare in DATA (default: ../shared/data).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="${DATA:-$home/../shared/data}"
bytes="${1:-5000000000}"
batches="${2:-500}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$home/tokentune" --version >/dev/null # builds if needed
export OMP_WAIT_POLICY=passive TOKENTUNE_CACHE="$work/cache"

stream() { java -Xmx1g -Dai.djl.offline=true -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
  -cp "$home/cli/target/classes:$(cat "$home/cli/target/classpath")" "$home/acceptance/Stream.java" "$@"; }

stream make "$work/text.txt" "$bytes" "$data/tinyshakespeare/input.txt"
stream pass "$work/text.txt"
stream train "$work/text.txt" "$data/stories260K" "$batches"
