#!/usr/bin/env bash
# What is saved has the tokens that it was trained with: small models of all kinds of tokenizers, and a .gguf, are trained
# for a step, and transformers' AutoTokenizer makes ids of texts from the folders. A line a folder; exits 1 if ids differ.
# Usage: acceptance/tokenizer_roundtrip.sh PYTHON...; each a Python with transformers (4.36 and 5.24 were tried) and PyTorch,
# the first of which makes the models. About two minutes.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export HF_HUB_OFFLINE=1
mkdir "$work/made" "$work/saved"
"$1" "$home/acceptance/tokenizer_roundtrip.py" make "$work/made"
cp -r "$home/tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf" "$work/made/gguf"

for model in "$work"/made/*; do
  case "$model" in
    *.json | *.csv | *.txt) continue ;;
    */bert* | */roberta*) settings=(--data "$work/made/rows.csv") ;;
    *) settings=(--task lm --data "$work/made/text.txt" --max-length 16) ;;
  esac
  if [ -f "$model" ]; then mv "$model" "$model.gguf" && model="$model.gguf"; fi
  name="$(basename "$model")"
  "$home/tokentune" train --model "$model" "${settings[@]}" --steps 1 --learning-rate 1e-12 \
    --output "$work/saved/${name%.gguf}" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
done
java -Dai.djl.offline=true -Dorg.slf4j.simpleLogger.log.org.tokentune=error \
  -cp "$home/cli/target/classes:$(cat "$home/cli/target/classpath")" "$home/acceptance/Tokens.java" \
  "$work/made/texts.json" "$work/ids.json" "$work"/saved/*
status=0
for python in "$@"; do
  "$python" "$home/acceptance/tokenizer_roundtrip.py" compare "$work/made/texts.json" "$work/ids.json" "$work"/saved/* || status=1
done
exit $status
