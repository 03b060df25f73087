#!/usr/bin/env bash
# Embeds sentences with all-minilm-l6-v2, in turn with sentence-transformers, and with onnxruntime where PYTHON has it. Prints the seconds of
# every pass, the medians, their ratio and the largest difference between the vectors. Exits 1 if that is above 1e-5.
# Usage: [TEXTS=4000] [PASSES=3] [THREADS=2] acceptance/embed-speed.sh PYTHON [MODEL.onnx]; PYTHON needs sentence-transformers.
# Needs sst2/dev.tsv in DATA (default: ../shared/data); its sentences are repeated.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="${DATA:-$home/../shared/data}"
python="$1"
onnx="${2:-}"
count="${TEXTS:-4000}"
passes="${PASSES:-3}"
threads="${THREADS:-2}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

awk -F'\t' -v count="$count" 'NR > 1 { text[n++] = $1 } END { for (i = 0; i < count; i++) print text[i % n] }' "$data/sst2/dev.tsv" \
  >"$work/texts"
printf 'anchor\tpositive\na cat sat\ta cat was sitting\nit rains\tthere is rain\n' >"$work/pairs.tsv"
"$home/tokentune" train --task embed --data "$work/pairs.tsv" --steps 1 --learning-rate 1e-12 --batch-size 2 --output "$work/model" \
  >"$work/log" 2>&1 || { cat "$work/log"; exit 1; } # the zoo's model in sentence-transformers' layout
export OMP_WAIT_POLICY=passive

coproc OURS { java -Dai.djl.offline=true -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
  -cp "$home/cli/target/classes:$(cat "$home/cli/target/classpath")" "$home/acceptance/EmbedSpeed.java" \
  "$work/model" "$work/texts" "$work/ours" 2>/dev/null; }
read -r _ <&"${OURS[0]}"
mkfifo "$work/ask" "$work/answer"
env -u OMP_WAIT_POLICY OMP_NUM_THREADS="$threads" "$python" "$home/acceptance/embed_speed.py" "$work/model" "$work/texts" "$work/ours" \
  "$threads" ${onnx:+"$onnx"} <"$work/ask" >"$work/answer" 2>"$work/log" &
exec 8>"$work/ask" 9<"$work/answer"
read -r _ <&9 || { cat "$work/log"; exit 1; }

for ((pass = 0; pass < passes; pass++)); do
  echo >&"${OURS[1]}"
  read -r ours <&"${OURS[0]}"
  echo >&8
  read -r theirs <&9
  echo "ours $ours s, theirs $theirs s"
  echo "$ours $theirs" >>"$work/seconds"
done
eval "exec ${OURS[1]}>&-"
wait "$OURS_PID" || true
exec 8>&-
read -r difference <&9
median() { cut -d' ' -f"$1" "$work/seconds" | sort -n | sed -n "$((passes / 2 + 1))p"; }
echo "$count sentences: $(median 1) s, theirs $(median 2) s: $(awk "BEGIN { printf \"%.2f\", $(median 1) / $(median 2) }"); $difference"
awk -v difference="${difference##* }" 'BEGIN { exit !(difference <= 1e-5) }'
