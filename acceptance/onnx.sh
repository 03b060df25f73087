#!/usr/bin/env bash
# Exports models of every encoder family with every head as ONNX and compares what onnxruntime and PyTorch compute (acceptance/onnx_export.py):
# transformers' models with random weights, batches of several sizes and lengths, with and without padding. Prints a Markdown table of the
# greatest differences, relative to the largest value; exits 1 if one is above 1e-5, or if onnx.checker rejects a file.
# Usage: acceptance/onnx.sh. PYTHON is a Python with the packages below, which are installed if it is not given.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

if [ -z "${PYTHON:-}" ]; then
  python3 -m venv "$work/python"
  "$work/python/bin/pip" install -q transformers==5.24.0 sentence-transformers==6.2.0 onnx==1.23.2 onnxruntime==1.32.0 >&2
  PYTHON="$work/python/bin/python"
fi
export HF_HUB_OFFLINE=1

mkdir "$work/models" "$work/onnx"
"$PYTHON" "$home/acceptance/onnx_export.py" make "$work/models" "$home/tokentune-samediff/src/test/resources/golden/embed-mean/tokenizer.json"
for model in "$work"/models/*; do
  "$home/tokentune" export --model "$model" --to onnx --output "$work/onnx/$(basename "$model")" >"$work/log" 2>&1 ||
    { echo "$(basename "$model"):"; cat "$work/log"; exit 1; }
done
"$PYTHON" "$home/acceptance/onnx_export.py" compare "$work/models" "$work/onnx"
