#!/usr/bin/env bash
# Accuracy with adapters on SST-2 (10,000 of its training rows, its 872 test rows): LoRA and QLoRA, each with all tokens
# and with a quarter of them, to compare with "all tokens" in acceptance/accuracy.sh sst2; prints a line for each run.
# Usage: acceptance/adapters.sh [SEED...]; about 15 minutes per seed on 2 cores.
# Needs train.tsv, dev.tsv and test.tsv of GLUE's SST-2 in SST2 (default: ../shared/data/sst2).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT
sst2="${SST2:-$home/../shared/data/sst2}"
settings=(--data "$sst2/train.tsv" --limit 10000 --validation "$sst2/dev.tsv" --test "$sst2/test.tsv"
  --lora r=8,alpha=16 --learning-rate 1e-3 --epochs 2)

run() { # NAME SEED OPTIONS...
  "$home/tokentune" train "${settings[@]}" "${@:3}" --seed "$2" --output "$results/model" --json "$results/result.json" >"$results/log" ||
    { cat "$results/log"; exit 1; }
  printf '%-16s seed %-4s accuracy %s, %s s\n' "$1" "$2" \
    "$(sed -n 's/^  "accuracy" : \([0-9.]*\).*/\1/p' "$results/result.json")" \
    "$(sed -n 's/^  "seconds" : \([0-9]*\).*/\1/p' "$results/result.json")"
  rm -rf "$results/model"
}

for seed in "${@:-42}"; do
  run "LoRA" "$seed" --tokens all
  run "LoRA, 25%" "$seed" --tokens 25%
  run "QLoRA" "$seed" --weights nf4 --tokens all
  run "QLoRA, 25%" "$seed" --weights nf4 --tokens 25%
done
