#!/usr/bin/env bash
# GGUF files that ./tokentune export writes, in llama.cpp: small random models of every family, in every type, and adapters
# on them; prints a line for each with the greatest difference of log probabilities from transformers, and fails if
# greedy ids of f32 differ.
# Usage: [TYPES="f32 q8_0"] acceptance/gguf.sh [FAMILY...]
# Needs a Python (PYTHON, default python3) with torch, transformers, peft, gguf and xllamacpp, which has llama.cpp.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$home/tokentune" --version >/dev/null # builds if needed
"${PYTHON:-python3}" "$home/acceptance/gguf_export.py" "$home" "$work" "$@"
