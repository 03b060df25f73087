#!/usr/bin/env bash
# Answers to questions with gradients through 25% of the tokens, by learning rate and epochs: all-minilm-l6-v2 on samples/questions.jsonl,
# scored on samples/more-questions.jsonl. Prints exact match, F1 and seconds of each run.
# Usage: acceptance/answers.sh; about 5 minutes on 2 quiet cores.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

run() { # TOKENS EPOCHS RATE
  "$home/tokentune" train --task qa --data "$home/samples/questions.jsonl" --validation "$home/samples/more-questions.jsonl" --tokens "$1" \
    --epochs "$2" --learning-rate "$3" --output "$work/model" --overwrite --json "$work/result.json" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
  printf '%-4s %2d epochs at %s: %s\n' "$1" "$2" "$3" \
    "$(sed -nE 's/^ {2}"(exact_match|f1|seconds)" : ([0-9.]*).*/\1 \2/p' "$work/result.json" | paste -sd, | sed 's/,/, /g')"
}

run 25% 8 3e-5
run 25% 8 1e-4
run 25% 16 1e-4
run all 8 3e-5
run all 8 1e-4
