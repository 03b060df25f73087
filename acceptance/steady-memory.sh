#!/usr/bin/env bash
# Resident memory during a training of 2,250 steps with batches of many shapes, printed about every 200 steps. Exits 1 if it
# grows by more than 5% from halfway on. Usage: acceptance/steady-memory.sh; about 10 minutes on 2 cores.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
results="$(mktemp -d)"
trap 'kill "$train" 2>/dev/null || true; rm -rf "$results"' EXIT
"$home/tokentune" --version >/dev/null # builds if needed
# A small, preallocated heap, so that Java's garbage does not affect the measurement.
TOKENTUNE_JAVA_OPTIONS="-Xmx512m -Xms512m -XX:+AlwaysPreTouch" "$home/tokentune" train \
  --limit 1500 --batch-size 2 --epochs 3 --output "$results/model" >"$results/log" &
train=$!
halfway=0
last=0
next=200
while kill -0 "$train" 2>/dev/null; do
  step="$(sed -n 's/^Step \([0-9]*\) of.*/\1/p' "$results/log" | tail -1)"
  if [ "${step:-0}" -ge "$next" ]; then
    last="$(awk '/^VmRSS/ { print int($2 / 1000) }' "/proc/$train/status")"
    echo "step $step: $last MB resident"
    if [ "$halfway" = 0 ] && [ "$step" -ge 1100 ]; then halfway="$last"; fi
    next=$((step + 200))
  fi
  sleep 2
done
wait "$train"
tail -3 "$results/log"
if [ "$last" -gt $((halfway * 105 / 100)) ]; then
  echo "Resident memory grew from $halfway MB halfway to $last MB."
  exit 1
fi
echo "Steady: $halfway MB halfway, $last MB at the end."
