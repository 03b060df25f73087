#!/usr/bin/env bash
# Preferences made from real text: reward accuracy on held-out rows, and memory, with all and with 30% of the tokens.
# Usage: acceptance/dpo.sh [OUTPUT]; 5 minutes.
# The text is tinyshakespeare (DATA, default ../shared/data): a prompt is 160 characters of it, the chosen answer the
# 120 that follow, the rejected one the same words in random order. The model is stories260K, which has never seen
# Shakespeare. Held-out rows are from the last tenth of the text.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="${DATA:-$home/../shared/data}"
output="${1:-$(mktemp -d)}"
mkdir -p "$output"
model="$data/stories260K/stories260K.bin"

"${PYTHON:-python3}" - "$data"/tinyshakespeare/*.txt "$output" <<'PYTHON'
import json, random, sys
text = "".join(open(name, encoding="utf-8").read() for name in sys.argv[1:-1])
rng = random.Random(1)
def rows(first, end, count):
    for _ in range(count):
        start = rng.randrange(first, end - 400)
        start = text.index(" ", start) + 1
        middle = text.index(" ", start + 160)
        stop = text.index(" ", middle + 120)
        words = text[middle:stop].split()
        shuffled = words[:]
        while shuffled == words:
            rng.shuffle(shuffled)
        yield {"prompt": text[start:middle], "chosen": " " + " ".join(words), "rejected": " " + " ".join(shuffled)}
edge = len(text) * 9 // 10
for name, first, end, count in (("train", 0, edge, 400), ("held-out", edge, len(text), 100)):
    with open(f"{sys.argv[-1]}/{name}.jsonl", "w", encoding="utf-8") as out:
        for row in rows(first, end, count):
            out.write(json.dumps(row) + "\n")
PYTHON

for tokens in all 30%; do
  run="$output/lora-${tokens%\%}"
  "$home/tokentune" train --task dpo --model "$model" --data "$output/train.jsonl" --validation "$output/held-out.jsonl" \
    --lora r=8,alpha=16 --learning-rate 0.002 --batch-size 8 --epochs 2 --tokens "$tokens" --overwrite --output "$run"
  "$home/tokentune" evaluate --task dpo --model "$model" --adapter "$run" --data "$output/held-out.jsonl"
done
"$home/tokentune" train --task dpo --model "$model" --data "$output/train.jsonl" --validation "$output/held-out.jsonl" \
  --learning-rate 0.0003 --batch-size 8 --epochs 1 --tokens 30% --overwrite --output "$output/full"
"$home/tokentune" evaluate --task dpo --model "$output/full" --reference "$model" --data "$output/held-out.jsonl"
