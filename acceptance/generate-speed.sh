#!/usr/bin/env bash
# Milliseconds a token of greedy text, here and in llama.cpp on the same GGUF files, in turn: a Llama of 12 layers x 768 with random weights
# (110 million parameters) in f32, Q8_0 and Q4_K; 256 tokens after 32, medians of ROUNDS (3), two threads each.
# Usage: PYTHON=... acceptance/generate-speed.sh, where PYTHON has torch, transformers and xllamacpp; about 5 minutes on 2 quiet cores.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python="${PYTHON:?Name a Python that has torch, transformers and xllamacpp.}"
"$python" "$home/acceptance/generate_speed.py" make "$work/model" "$home/samples/stories.txt" >/dev/null 2>&1
for type in f32 q8_0 q4_k; do
  "$home/tokentune" export --model "$work/model" --to gguf --type "$type" --output "$work/$type.gguf" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
done

for round in $(seq "${ROUNDS:-3}"); do
  for type in f32 q8_0 q4_k; do
    weights=file
    [ "$type" = f32 ] && weights=float32
    "$python" "$home/acceptance/generate_speed.py" here "$home/tokentune" generate --model "$work/$type.gguf" --weights "$weights" \
      --prompt "Once upon a time" --temperature 0 --max-tokens 288 | sed "s/^/$type here /" | tee -a "$work/times"
    "$python" "$home/acceptance/generate_speed.py" llama.cpp "$work/$type.gguf" 2>/dev/null | sed "s/^/$type llama.cpp /" | tee -a "$work/times"
  done
done
echo
"$python" "$home/acceptance/generate_speed.py" table "$work/times"
