#!/usr/bin/env bash
# Accuracy of all tokens and of 25% of them, by learning rate, epochs, batch size, least number of tokens and momentum: all-minilm-l6-v2 on
# 4,000 of SST-2's phrases, scored on its 872 test sentences and on the first 3,000 rows of its dev part. Prints a line for each run, then a
# table: means and standard errors over the seeds, seconds of a run, and what its largest step takes.
# Usage: [SEEDS="1 2 3"] acceptance/selection.sh [RESULTS.tsv]; about a minute a run on 2 quiet cores, 14 cells. Runs that are in
# RESULTS.tsv already are not made again. Needs SST-2 in SST2 (default: ../shared/data/sst2).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
sst2="${SST2:-$home/../shared/data/sst2}"
results="${1:-$work/results.tsv}"
touch "$results"
sed -n 1,3001p "$sst2/dev.tsv" >"$work/dev.tsv"

number() { sed -n 's/^ *"'"$1"'" : \([0-9.]*\).*/\1/p' "$2" | head -1; }

run() { # SEED NAME OPTIONS...
  if grep -q "^$2	$1	" "$results"; then return; fi
  "$home/tokentune" train --data "$sst2/train.tsv" --limit 4000 --validation none --test "$sst2/test.tsv" --pooling first --dropout 0.1 \
    --batch-size "${BATCH:-32}" "${@:3}" --seed "$1" --output "$work/model" --overwrite --json "$work/result.json" >"$work/log" 2>&1 &&
    "$home/tokentune" evaluate --model "$work/model" --data "$work/dev.tsv" --json "$work/dev.json" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$2" "$1" "$(number accuracy "$work/result.json")" "$(number accuracy "$work/dev.json")" \
    "$(number seconds "$work/result.json")" "$(number used "$work/result.json")" | tee -a "$results"
}

for seed in ${SEEDS:-1 2 3}; do
  run "$seed" "all 1e-4" --tokens all --epochs 2 --learning-rate 1e-4
  run "$seed" "25% 1e-4" --tokens 25% --min-tokens 2 --epochs 2 --learning-rate 1e-4
  run "$seed" "25% 1e-4 floor 8" --tokens 25% --min-tokens 8 --epochs 2 --learning-rate 1e-4
  run "$seed" "25% 1e-4 floor 12" --tokens 25% --min-tokens 12 --epochs 2 --learning-rate 1e-4
  run "$seed" "25% 1e-4 floor 16" --tokens 25% --min-tokens 16 --epochs 2 --learning-rate 1e-4
  run "$seed" "25% 1e-4 4 epochs" --tokens 25% --min-tokens 2 --epochs 4 --learning-rate 1e-4
  run "$seed" "25% 5e-5" --tokens 25% --min-tokens 2 --epochs 2 --learning-rate 5e-5
  run "$seed" "25% 2e-4" --tokens 25% --min-tokens 2 --epochs 2 --learning-rate 2e-4
  run "$seed" "25% 1e-4 beta1 .95" --tokens 25% --min-tokens 2 --epochs 2 --learning-rate 1e-4 --betas 0.95,0.999
  run "$seed" "all 2e-4" --tokens all --epochs 2 --learning-rate 2e-4
  run "$seed" "25% 4e-4" --tokens 25% --min-tokens 2 --epochs 2 --learning-rate 4e-4
  BATCH=96 run "$seed" "25% 1e-4 batch 96" --tokens 25% --min-tokens 2 --epochs 2 --learning-rate 1e-4
  BATCH=96 run "$seed" "25% 2e-4 batch 96" --tokens 25% --min-tokens 2 --epochs 2 --learning-rate 2e-4
  run "$seed" "50% 1e-4" --tokens 50% --min-tokens 2 --epochs 2 --learning-rate 1e-4
done
echo
awk -F'\t' '
  function error(q, s, n,  v) { v = n > 1 ? (q / n - (s / n) ^ 2) / (n - 1) : 0; return 100 * sqrt(v > 0 ? v : 0) }
  { if (!($1 in n)) order[++cells] = $1; c = $1; n[c]++; s[c] += $3; q[c] += $3 ^ 2; d[c] += $4; e[c] += $4 ^ 2; t[c] += $5
    b[c] = $6 > b[c] ? $6 : b[c] }
  END { for (i = 1; i <= cells; i++) { c = order[i]; printf "%-22s test %.1f +- %.1f, dev %.1f +- %.1f, %d s, %.1f MB (%d seeds)\n",
    c, 100 * s[c] / n[c], error(q[c], s[c], n[c]), 100 * d[c] / n[c], error(e[c], d[c], n[c]), t[c] / n[c], b[c] / 1e6, n[c] } }' "$results"
