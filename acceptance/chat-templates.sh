#!/usr/bin/env bash
# Chat templates against transformers: 70 templates of real models on 10 conversations, 108 of TRL and axolotl on 16 with
# their generation marks, and random small templates.
# Usage: acceptance/chat-templates.sh [SEED...]; 6 minutes, and 2 more per seed.
# Needs the network, a Python (PYTHON, default python3) with transformers 5.24.0, jinja2 3.1.6 and trl 1.16.0, and the
# script that makes the cases (CASES, default ../shared/bench/chat_templates.py).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="${PYTHON:-python3}"
cases="${CASES:-$home/../shared/bench/chat_templates.py}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

render() { # CASES RESULTS
  "$home/tokentune" chat --cases "$1" --now 2026-01-02T03:04:05 --json "$2"
}

"$python" "$home/acceptance/chat-idioms.py" "$work/idioms.json"
cmp "$work/idioms.json" "$home/chat/src/test/resources/idioms.json"
"$python" "$cases" make "$work/cases.json"
render "$work/cases.json" "$work/results.json"
"$python" "$cases" compare "$work/cases.json" "$work/results.json" 3
"$python" "$home/acceptance/chat-packages.py" make "$cases" "$work/packages.json"
render "$work/packages.json" "$work/packaged.json"
"$python" "$home/acceptance/chat-packages.py" compare "$work/packages.json" "$work/packaged.json"
for seed in "${@:-1}"; do
  "$python" "$home/acceptance/chat-fuzz.py" make "$seed" 10000 "$work/fuzz.json"
  render "$work/fuzz.json" "$work/fuzzed.json"
  "$python" "$home/acceptance/chat-fuzz.py" compare "$work/fuzz.json" "$work/fuzzed.json"
done
