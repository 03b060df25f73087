#!/usr/bin/env bash
# Every family of models, from the random weights of its golden file (hidden size 32, new word embeddings), trained for STEPS
# (default 300) on real text: decoders on tinyshakespeare, encoders on SST-2. Prints the loss on held-out text after one
# step, and after all of them with all tokens and with 30%. It fails if a decoder's is not a tenth lower, or an encoder's 3%.
# Usage: [STEPS=300] [SEED=42] acceptance/families.sh [FAMILY...]; ten minutes on 2 cores.
# Needs tinyshakespeare and sst2 in DATA (default: ../shared/data).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="${DATA:-$home/../shared/data}"
golden="$home/tokentune-samediff/src/test/resources/golden"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
if [ $# -eq 0 ]; then
  set -- bert roberta xlm-roberta distilbert electra mpnet deberta-v3 modernbert \
    gpt2 llama mistral qwen2 qwen3 smollm3 olmo2 phi3 gemma2 gemma3 granite stablelm
fi
"$home/tokentune" --version >/dev/null # builds if needed
export OMP_WAIT_POLICY=passive
java --enable-native-access=ALL-UNNAMED -Dai.djl.offline=true -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
  -cp "$home/cli/target/classes:$(cat "$home/cli/target/classpath")" "$home/acceptance/Families.java" \
  "$golden" "$data" "$work" "${STEPS:-300}" "${SEED:-42}" "$@"
