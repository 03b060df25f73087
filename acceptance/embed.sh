#!/usr/bin/env bash
# Retrieval on held-out pairs before and after all-minilm-l6-v2 is trained by --task embed, with gradients through all tokens and through a
# quarter, and the memory of a step of each. Pairs are made of Shakespeare's speeches of four lines or more: the first half of the lines is
# the anchor, the second its positive. The last tenth of the speeches is held out, and the tenth before it chooses the best weights.
# nDCG@10 of both trainings must rise by at least 0.01.
# Usage: acceptance/embed.sh [STEPS]; 10 minutes with 120 steps on 2 cores. Needs tinyshakespeare in DATA (default: ../shared/data).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="${DATA:-$home/../shared/data}"
steps="${1:-120}"
results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT

awk 'BEGIN { RS = ""; FS = "\n" }
  NF > 4 { half = int((NF - 1) / 2); first = $2; second = $(2 + half)
    for (i = 3; i < 2 + half; i++) first = first " " $i
    for (i = 3 + half; i <= NF; i++) second = second " " $i
    print first "\t" second }' "$data/tinyshakespeare/input.txt" >"$results/all"
count="$(wc -l <"$results/all")"
part() { printf 'anchor\tpositive\n'; sed -n "$1p" "$results/all"; }
part "1,$((count * 8 / 10))" >"$results/train.tsv"
part "$((count * 8 / 10 + 1)),$((count * 9 / 10))" >"$results/validation.tsv"
part "$((count * 9 / 10 + 1)),$count" >"$results/test.tsv"
wc -l "$results"/*.tsv | sed "s|$results/||"

field() { sed -n "s/^  \"$1\" : \([-0-9.E]*\).*/\1/p" "$results/$2.json"; }

print() { # NAME
  printf '%-12s accuracy@1 %.4f, recall@10 %.4f, MRR@10 %.4f, nDCG@10 %.4f, MAP@100 %.4f' "$1" "$(field accuracy_at_1 "$1")" \
    "$(field recall_at_10 "$1")" "$(field mrr_at_10 "$1")" "$(field ndcg_at_10 "$1")" "$(field map_at_100 "$1")"
}

"$home/tokentune" train --task embed --data "$results/train.tsv" --validation "$results/validation.tsv" --steps 1 --learning-rate 1e-9 \
  --tokens all --output "$results/before" >"$results/log"
"$home/tokentune" evaluate --model "$results/before" --data "$results/test.tsv" --json "$results/before.json" >"$results/log"
print before; echo
for tokens in all 25%; do
  "$home/tokentune" train --task embed --data "$results/train.tsv" --validation "$results/validation.tsv" --test "$results/test.tsv" \
    --max-length 64 --steps "$steps" --batch-size 32 --learning-rate 5e-5 --tokens "$tokens" --evaluate-every $((steps / 3)) \
    --output "$results/model" --overwrite --json "$results/$tokens.json" >"$results/log" || { cat "$results/log"; exit 1; }
  print "$tokens"
  grep -o 'The largest step: [0-9.]* MB' "$results/log" | sed 's/The/; the/'
done

awk -v before="$(field ndcg_at_10 before)" -v all="$(field ndcg_at_10 all)" -v quarter="$(field ndcg_at_10 25%)" \
  'BEGIN { ok = all - before >= 0.01 && quarter - before >= 0.01; print ok ? "risen with both" : "NOT risen by 0.01 with both"; exit !ok }'
