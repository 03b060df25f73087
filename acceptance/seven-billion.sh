#!/usr/bin/env bash
# Training steps of a model with Llama-2-7B's shapes: random weights in NF4, LoRA on all linear layers, 30% of the tokens, batch 1,
# AdamW in 8 bits, blocks recomputed; lengths 512 and 2048. Prints planned and used bytes, minutes a step, losses and the most resident
# memory; exits 1 if used differs from planned by more than a thousandth or the loss does not fall. Needs Linux and 8 GB of free memory.
# Usage: [LAYERS=32] [STEPS=3] [TOKENS=30%] acceptance/seven-billion.sh [LENGTH...]
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
"$home/tokentune" --version >/dev/null # builds if needed
export OMP_WAIT_POLICY=passive
[ $# -gt 0 ] || set -- 512 2048
java -Xmx2g -Dai.djl.offline=true -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
  -cp "$home/cli/target/classes:$(cat "$home/cli/target/classpath")" "$home/acceptance/SevenBillion.java" \
  "$home/README.md" "${LAYERS:-32}" "${STEPS:-3}" "${TOKENS:-30%}" "$@"
