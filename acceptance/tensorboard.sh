#!/usr/bin/env bash
# Event files of train --tensorboard, read by the tensorboard package (acceptance/tensorboard_events.py): a training is killed
# (kill -9) KILLS times and resumed each time; then every number of its log must be in the event files, once and equal as a
# 32-bit float, for TensorBoard and in the files themselves. Prints a line; exits 1 if anything differs.
# Usage: [KILLS=N] acceptance/tensorboard.sh. PYTHON is a Python with tensorboard, which is installed if it is not given.
set -uo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
training=0
# shellcheck disable=SC2317 # the trap calls it
cleanup() {
  [ "$training" != 0 ] && kill -9 "$training" 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
if [ -z "${PYTHON:-}" ]; then
  python3 -m venv "$work/python"
  "$work/python/bin/pip" install -q tensorboard==2.21.0 >&2 || exit 1
  PYTHON="$work/python/bin/python"
fi
"$home/tokentune" --version >/dev/null || exit 1 # builds if needed

mkdir "$work/base" # a BERT of 3 layers x 32
cp "$home"/tokentune-samediff/src/test/resources/golden/bert/{config.json,model.safetensors} "$work/base"
cp "$home/datasets/src/test/resources/tokenizer.json" "$work/base"
train=("$home/tokentune" train --model "$work/base" --data "$home/samples/reviews.csv" --text review --label stars --batch-size 4
  --steps 1500 --evaluate-every 20 --save-every 20 --resume auto --output "$work/model" --tensorboard "$work/events")

for ((kill = 0; kill < ${KILLS:-3}; kill++)); do
  "${train[@]}" >"$work/log" 2>&1 &
  training=$!
  lines="$(wc -l 2>/dev/null <"$work/model/log.jsonl" || echo 0)"
  for ((tenths = 0; tenths < 1200; tenths++)); do
    [ "$(wc -l 2>/dev/null <"$work/model/log.jsonl" || echo 0)" -gt $((lines + 150)) ] && break
    kill -0 "$training" 2>/dev/null || { cat "$work/log"; exit 1; }
    sleep 0.1
  done
  kill -9 "$training"
  wait "$training" 2>/dev/null
  training=0
done
"${train[@]}" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$PYTHON" "$home/acceptance/tensorboard_events.py" "$work/events" "$work/model/log.jsonl"
