#!/usr/bin/env bash
# The load of a service in one process: 20,000 predictions of various lengths, 2,000 loads of a model, and 8 threads that
# predict, embed and generate. Prints live and resident memory at the start, halfway and at the end. Exits 1 if memory grows
# by more than 5% from halfway on, or if an answer differs from that of a single thread.
# Usage: acceptance/load.sh [PREDICTIONS [LOADS]]; default 20000 and 2000, about 10 minutes on 2 cores.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$home/tokentune" --version >/dev/null # builds if needed
export OMP_WAIT_POLICY=passive
base="$work/base" # a BERT of 3 layers x 32
decoder="$work/decoder" # a Llama of 2 layers x 32
mkdir "$base" "$decoder"
golden="$home/tokentune-samediff/src/test/resources/golden"
cp "$golden"/bert/{config.json,model.safetensors} "$base"
cp "$golden"/llama/{config.json,model.safetensors} "$decoder"
for folder in "$base" "$decoder"; do cp "$home/datasets/src/test/resources/tokenizer.json" "$folder"; done
printf 'text\tlabel\nthe good cat\tgood\nthe bad dog\tbad\n%.0s' $(seq 10) | awk 'NR == 1 || !/^text\t/' >"$work/data.tsv"
"$home/tokentune" train --model "$base" --data "$work/data.tsv" --steps 2 --batch-size 4 --output "$work/model" >/dev/null
java -Xmx1g -Dai.djl.offline=true -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
  -cp "$home/cli/target/classes:$(cat "$home/cli/target/classpath")" "$home/acceptance/Load.java" \
  "$work/model" "$decoder" "${1:-20000}" "${2:-2000}"
