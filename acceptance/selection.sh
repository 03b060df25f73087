#!/usr/bin/env bash
# Accuracy of all tokens and of 25% of them, by learning rate, epochs and batch size: all-minilm-l6-v2 on 4,000 of SST-2's phrases, scored
# on its 872 test sentences. Prints a line for each run, then a table: mean and standard error over the seeds, and seconds of a run.
# Usage: [SEEDS="1 2 3"] acceptance/selection.sh [RESULTS.tsv]; about 40 seconds a run on 2 quiet cores, 13 cells. Runs that are in
# RESULTS.tsv already are not made again. Needs SST-2 in SST2 (default: ../shared/data/sst2).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
sst2="${SST2:-$home/../shared/data/sst2}"
results="${1:-$work/results.tsv}"
touch "$results"

run() { # SEED NAME OPTIONS...
  grep -q "^$2	$1	" "$results" && return
  "$home/tokentune" train --data "$sst2/train.tsv" --limit 4000 --validation none --test "$sst2/test.tsv" --pooling first --dropout 0.1 \
    "${@:3}" --seed "$1" --output "$work/model" --overwrite --json "$work/result.json" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  printf '%s\t%s\t%s\t%s\n' "$2" "$1" "$(sed -n 's/^ *"accuracy" : \([0-9.]*\).*/\1/p' "$work/result.json" | head -1)" \
    "$(sed -n 's/^ *"seconds" : \([0-9]*\).*/\1/p' "$work/result.json" | head -1)" | tee -a "$results"
}

for seed in ${SEEDS:-1 2 3}; do
  for rate in 1e-4 2e-4 3e-4; do
    run "$seed" "all, rate $rate" --tokens all --epochs 2 --batch-size 32 --learning-rate "$rate"
  done
  for rate in 1e-4 1.5e-4 2e-4 3e-4 5e-4; do
    run "$seed" "25%, rate $rate" --tokens 25% --epochs 2 --batch-size 32 --learning-rate "$rate"
  done
  run "$seed" "25%, rate 1e-4, 4 epochs" --tokens 25% --epochs 4 --batch-size 32 --learning-rate 1e-4
  run "$seed" "25%, rate 2e-4, 4 epochs" --tokens 25% --epochs 4 --batch-size 32 --learning-rate 2e-4
  run "$seed" "25%, rate 2e-4, batch 96, 4 epochs" --tokens 25% --epochs 4 --batch-size 96 --learning-rate 2e-4
  run "$seed" "25%, rate 2e-4, no minimum" --tokens 25% --min-tokens 1 --epochs 2 --batch-size 32 --learning-rate 2e-4
  run "$seed" "50%, rate 2e-4" --tokens 50% --epochs 2 --batch-size 32 --learning-rate 2e-4
done
echo
awk -F'\t' '{ if (!($1 in n)) order[++cells] = $1; n[$1]++; s[$1] += $3; q[$1] += $3 * $3; t[$1] += $4 }
  END { for (i = 1; i <= cells; i++) { c = order[i]; m = s[c] / n[c]; v = n[c] > 1 ? (q[c] / n[c] - m * m) / (n[c] - 1) : 0;
    printf "%-36s %.1f +- %.1f, %d s (%d seeds)\n", c, 100 * m, 100 * sqrt(v > 0 ? v : 0), t[c] / n[c], n[c] } }' "$results"
