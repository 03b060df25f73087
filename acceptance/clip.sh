#!/usr/bin/env bash
# Accuracy and memory with each way to clip gradients, and with AdamW in 8 bits; prints a line for each run.
# 800 of SST-2's training phrases, 200 of dev.tsv to validate on, and its 872 test sentences.
# Usage: acceptance/clip.sh [SEED...]; 10 minutes per seed on 2 cores.
# Needs train.tsv, dev.tsv and test.tsv of SST-2 in SST2 (default: ../shared/data/sst2).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
sst2="${SST2:-$home/../shared/data/sst2}"
results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT
head -n 201 "$sst2/dev.tsv" >"$results/dev.tsv"

value() { # NAME
  sed -n "s/^ *\"$1\" : \([0-9.]*\).*/\1/p" "$results/result.json" | head -n 1
}

run() { # NAME SEED OPTIONS...
  "$home/tokentune" train --min-tokens 8 --data "$sst2/train.tsv" --limit 800 --validation "$results/dev.tsv" --test "$sst2/test.tsv" \
    --epochs 2 --batch-size 8 --seed "$2" "${@:3}" --output "$results/model" --overwrite --json "$results/result.json" \
    >"$results/log" || { cat "$results/log"; exit 1; }
  printf '%-28s seed %-4s accuracy %s, step %s bytes, state %s bytes\n' "$1" "$2" \
    "$(value accuracy)" "$(value used)" "$(value optimizer_state)"
}

for seed in "${@:-42}"; do
  run "all" "$seed"
  run "last" "$seed" --clip-by last
  run "tensor" "$seed" --clip-by tensor
  run "last, adamw8bit" "$seed" --clip-by last --optimizer adamw8bit
done
