#!/usr/bin/env bash
# Saved models give the same results in Python: trains small models of every family for a few steps, saves them whole, as
# adapters and with merged adapters, and loads them in two generations of transformers, PEFT and sentence-transformers.
# Prints a Markdown table with the greatest difference in scores from ./tokentune, relative to the largest score, and whether
# all ids are equal (those of texts by AutoTokenizer, and of greedily generated texts); exits 1 if they are not.
# Usage: acceptance/saved.sh; about 10 minutes. PYTHON5 and PYTHON4 are Python interpreters with the versions below, which are
# installed if not given.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

python() { # VENV PACKAGES...
  python3 -m venv "$work/$1"
  "$work/$1/bin/pip" install -q "${@:2}" >&2
  echo "$work/$1/bin/python"
}
five="${PYTHON5:-$(python five transformers==5.24.0 peft==0.21.2 sentence-transformers==6.2.0)}"
four="${PYTHON4:-$(python four transformers==4.36.0 peft==0.5.0 torch==2.3.1 'numpy<2')}"
export HF_HUB_OFFLINE=1 OMP_WAIT_POLICY=passive

status=0
"$five" "$home/acceptance/saved.py" make "$work" "$home/tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf" 2>"$work/err" ||
  { cat "$work/err" >&2; exit 1; }
"$home/tokentune" --version >/dev/null # builds if needed
java -Dai.djl.offline=true -Dorg.slf4j.simpleLogger.log.org.tokentune=error \
  -cp "$home/cli/target/classes:$(cat "$home/cli/target/classpath")" "$home/acceptance/Saved.java" \
  "$work/commands.jsonl" "$work/tokenizers.json" "$work/texts.json" "$work/ids.json" >"$work/log" 2>"$work/err" ||
  { cat "$work/err" >&2; status=1; }
for python in "$five" "$four"; do
  "$python" "$home/acceptance/saved.py" load "$work" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
done
mapfile -t loaded < <(dirname "$work"/saved/*/case-*.safetensors | sort -u)
"$home/tokentune" parity "${loaded[@]}" --json "$work/parity.json" >"$work/log" 2>&1 ||
  [ -f "$work/parity.json" ] || { cat "$work/log" >&2; exit 1; }
"$five" "$home/acceptance/saved.py" table "$work" || status=1
exit $status
