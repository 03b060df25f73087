#!/usr/bin/env bash
# Does a search beat the defaults? 1,000 of SentiWordNet's glosses, TRIALS (default 12), judged by their validation rows; then the best
# options and the defaults on SentiWordNet's test rows, which no trial has seen. Prints a line for each.
# Usage: [TRIALS=12] acceptance/search.sh [SEED]; 10 minutes on 2 cores.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
seed="${1:-42}"
results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT
cat >"$results/search.yaml" <<'YAML'
limit: 1000
search:
  learning-rate: {log-uniform: [1e-5, 1e-3]}
  weight-decay: {uniform: [0, 0.1]}
  epochs: {integer: [1, 5]}
  batch-size: [8, 16, 32]
YAML
"$home/tokentune" search --config "$results/search.yaml" --trials "${TRIALS:-12}" --seed "$seed" --output "$results/search"

value() { # NAME
  sed -n "s/^ *\"$1\" : \([0-9.]*\).*/\1/p" "$results/result.json" | head -n 1
}

run() { # NAME OPTIONS...
  "$home/tokentune" train "${@:2}" --output "$results/model" --overwrite --json "$results/result.json" >"$results/log" ||
    { cat "$results/log"; exit 1; }
  printf '%-16s accuracy %.3f, F1 %.3f\n' "$1" "$(value accuracy)" "$(value f1)"
}
cat "$results/search/best.yaml"
run "best of the search" --config "$results/search/best.yaml"
run "defaults" --limit 1000 --seed "$seed"
