#!/usr/bin/env bash
# Accuracy with options of optimizer, schedule, loss and rows, each alone against the defaults; prints a line for each run.
# 800 of SST-2's training phrases, 200 of dev.tsv to validate on, and the last 472 of its test sentences. The mixed files are the
# first 400 of the phrases and the first 400 of the test sentences.
# Usage: [ONLY=TEXT] acceptance/options.sh [SEED...]; 8 minutes per seed on 2 cores. ONLY: the runs in whose names this stands.
# Needs train.tsv, dev.tsv and test.tsv of SST-2 in SST2 (default: ../shared/data/sst2).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
sst2="${SST2:-$home/../shared/data/sst2}"
results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT
head -n 801 "$sst2/train.tsv" >"$results/phrases.tsv"
head -n 401 "$sst2/train.tsv" >"$results/fewer.tsv"
head -n 201 "$sst2/dev.tsv" >"$results/validation.tsv"
head -n 401 "$sst2/test.tsv" >"$results/sentences.tsv"
{ head -n 1 "$sst2/test.tsv"; tail -n 472 "$sst2/test.tsv"; } >"$results/test.tsv"

value() { # NAME
  sed -n "s/^ *\"$1\" : \([0-9.]*\).*/\1/p" "$results/result.json" | head -n 1
}

run() { # NAME SEED OPTIONS...
  [[ "$1" == *"${ONLY:-}"* ]] || return 0
  "$home/tokentune" train --min-tokens 8 --test "$results/test.tsv" --seed "$2" "${@:3}" \
    --output "$results/model" --overwrite --json "$results/result.json" >"$results/log" || { cat "$results/log"; exit 1; }
  printf '%-32s seed %-4s accuracy %.3f, F1 %.3f\n' "$1" "$2" "$(value accuracy)" "$(value f1)"
}

validation=(--validation "$results/validation.tsv")
phrases=(--data "$results/phrases.tsv" "${validation[@]}" --epochs 2)
for seed in "${@:-42}"; do
  run "defaults" "$seed" "${phrases[@]}"
  run "betas 0.9,0.98" "$seed" "${phrases[@]}" --betas 0.9,0.98 --epsilon 1e-6
  run "cosine_with_restarts" "$seed" "${phrases[@]}" --schedule cosine_with_restarts --schedule-settings num_cycles=3
  run "polynomial, power 2" "$seed" "${phrases[@]}" --schedule polynomial --schedule-settings power=2
  run "reduce_lr_on_plateau" "$seed" "${phrases[@]}" --schedule reduce_lr_on_plateau \
    --schedule-settings factor=0.5,patience=1 --warmup 0 --evaluate-every 10
  run "label smoothing 0.1" "$seed" "${phrases[@]}" --label-smoothing 0.1
  run "focal loss, gamma 2" "$seed" "${phrases[@]}" --focal-gamma 2
  run "validation none" "$seed" --data "$results/phrases.tsv" --validation none --epochs 2
  # All 60,614 phrases; an epoch has more steps than these.
  steps=(--data "$sst2/train.tsv" "${validation[@]}" --steps 50)
  run "50 steps of all phrases" "$seed" "${steps[@]}"
  run "50 steps, streamed" "$seed" "${steps[@]}" --stream --labels 0,1
  run "phrases and sentences" "$seed" --data "$results/fewer.tsv" --data "$results/sentences.tsv" --epochs 2 "${validation[@]}"
  run "sentences three times" "$seed" --data "$results/fewer.tsv:1" --data "$results/sentences.tsv:3" --epochs 2 "${validation[@]}"
done
