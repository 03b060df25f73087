#!/usr/bin/env bash
# F1 of a rare class, 13% of the rows, without and with class weights, sampling by class and a stratified validation
# share; prints a line for each run. The rows are those of GLUE's SST-2 with enough of the positive ones left out: 1,000 to train and to
# validate on, and of the test rows as many as have 13% positives.
# Usage: acceptance/unbalanced.sh [SEED...]; 4 minutes per seed on 2 cores.
# Needs train.tsv and test.tsv of SST-2 in SST2 (default: ../shared/data/sst2).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
sst2="${SST2:-$home/../shared/data/sst2}"
results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT

unbalanced() { # FILE POSITIVE NEGATIVE: the first rows of each label
  awk -F '\t' -v OFS='\t' -v positive="$2" -v negative="$3" '
    NR == 1 { print }
    NR > 1 && $2 == 1 && positive-- > 0 { print }
    NR > 1 && $2 == 0 && negative-- > 0 { print }' "$sst2/$1"
}
unbalanced train.tsv 130 870 >"$results/train.tsv"
unbalanced test.tsv 64 428 >"$results/test.tsv"

value() { # NAME
  sed -n "s/^  \"$1\" : \([0-9.]*\).*/\1/p" "$results/result.json"
}

run() { # NAME SEED OPTIONS...
  "$home/tokentune" train --min-tokens 8 --data "$results/train.tsv" --test "$results/test.tsv" --seed "$2" "${@:3}" \
    --output "$results/model" --overwrite --json "$results/result.json" >"$results/log" || { cat "$results/log"; exit 1; }
  printf '%-24s seed %-4s F1 %.3f, accuracy %.3f\n' "$1" "$2" "$(value f1)" "$(value accuracy)"
}

for seed in "${@:-42}"; do
  run "plain" "$seed"
  run "weights" "$seed" --class-weights balanced
  run "weights, stratified" "$seed" --class-weights balanced --stratify
  run "sampled by class" "$seed" --sample-by-class
done
