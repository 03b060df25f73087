#!/usr/bin/env bash
# What can go wrong around a run, apart from kills and full disks (acceptance/kill.sh): signals while a training checkpoint
# or the model is being written, outputs that cannot be written or that nobody reads, missing input, a terminal without any
# capabilities, and two processes that fill the same cache. Each case must end with the right exit code and without a stack
# trace, and leave nothing half-written; a training that was interrupted must resume to the weights of one that was not.
# Prints a line for each case; exits 1 if one fails.
# Usage: acceptance/faults.sh; about 10 minutes on 2 cores. ROUNDS=N sends N signals of each kind, default 10.
set -uo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
training=0
# shellcheck disable=SC2317 # the trap calls it
cleanup() {
  [ "$training" != 0 ] && kill -9 "$training" 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
RANDOM="${SEED:-$$}"
rounds="${ROUNDS:-10}"
failed=0
export TOKENTUNE_JAVA_OPTIONS="${TOKENTUNE_JAVA_OPTIONS:--Xmx1g}"
"$home/tokentune" --version >/dev/null || exit 1 # builds if needed

base="$work/base" # a BERT of 3 layers x 32, with dropout
mkdir "$base"
cp "$home"/tokentune-samediff/src/test/resources/golden/bert/{config.json,model.safetensors} "$base"
cp "$home/datasets/src/test/resources/tokenizer.json" "$base"
awk 'BEGIN { srand(4); print "text\tlabel"; split("cat dog bird fish", word, " ")
  for (i = 0; i < 400; i++) { mood = rand() < 0.5 ? "good" : "bad"; text = "the " mood
    for (n = 1 + rand() * 8; n > 0; n--) text = text " " word[1 + int(rand() * 4)]
    print text "\t" mood } }' >"$work/data.tsv"

train() { # OUTPUT OPTIONS... ; replaces the shell, so that a signal reaches the training
  exec "$home/tokentune" train --model "$base" --data "$work/data.tsv" --batch-size 4 --learning-rate 1e-3 \
    --evaluate-every 50 --steps 600 "${@:2}" --output "$1"
}

hash() { cat "$1"/model.safetensors 2>/dev/null | sha256sum | cut -c 1-16; }

report() { # NAME GOOD: prints whether it passed, and the last line of its output
  if [ "$2" = true ] && ! grep -q '^\s*at [a-z]*\.\|Exception in' "$work/log"; then
    echo "$1: $(grep -v '^\s*$' "$work/log" | tail -1 | cut -c 1-100)"
  else
    echo "$1: FAILED"
    tail -20 "$work/log"
    failed=1
  fi
}

ends() { # NAME CODE COMMAND...
  local name="$1" wanted="$2" code
  shift 2
  (TERM="${term:-$TERM}" "$@") >"$work/log" 2>&1
  code=$?
  report "$name, exit code $code" "$([ "$code" = "$wanted" ] && echo true)"
}

signals() { # NAME SIGNAL CODE
  local out="$work/out-$1" sent=0 code=0 whole=true
  rm -rf "$out"
  while true; do
    (train "$out" --save-every 1 --resume auto) >"$work/log" 2>&1 &
    training=$!
    if [ "$sent" -lt "$rounds" ]; then
      before="$(cat "$out/log.jsonl" 2>/dev/null | wc -l)"
      while [ "$(cat "$out/log.jsonl" 2>/dev/null | wc -l)" = "$before" ] && kill -0 "$training" 2>/dev/null; do
        sleep 0.05
      done
      sleep "0.$((RANDOM % 10))$((RANDOM % 10))" # a training checkpoint is written after every step, so most signals hit one
      kill "-$2" "$training" 2>/dev/null && sent=$((sent + 1))
    fi
    wait "$training"
    code=$?
    training=0
    [ "$code" = "$3" ] || break
    if find "$out" -name '.partial*' | grep -q .; then whole=false; fi
  done
  local good=false
  [ "$code" = 0 ] && [ "$whole" = true ] && [ "$(hash "$out")" = "$(hash "$work/whole")" ] && good=true
  report "$1: $sent times, then exit code $code, weights $(hash "$out"), uninterrupted $(hash "$work/whole")" "$good"
}

(train "$work/whole") >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
signals SIGINT INT 130
signals SIGTERM TERM 143

model="$work/whole"
predict=("$home/tokentune" predict --model "$model" "the good cat" "the bad dog")
ends "a full device" 1 bash -c "\"\$@\" >/dev/full" _ "${predict[@]}"
ends "a result on a full device" 1 "${predict[@]}" --json /dev/full
ends "a log that is not a regular file" 0 "$home/tokentune" train --model "$base" --data "$work/data.tsv" --steps 2 --log /dev/null \
  --output "$work/nolog"
ends "a pipe that nobody reads" 1 bash -c "set -o pipefail; trap '' PIPE; \"\$@\" | sleep 0" _ "${predict[@]}"
ends "no input" 0 bash -c '"$@" <&-' _ "${predict[@]}"
term=dumb ends "TERM=dumb" 0 "$home/tokentune" train --model "$base" --data "$work/data.tsv" --steps 2 --output "$work/dumb"
COLUMNS=40 ends "40 columns" 0 "$home/tokentune" train --help
ends "an output below a file" 1 "$home/tokentune" train --model "$base" --data "$work/data.tsv" --output "$work/data.tsv/model"

# Two processes that cache the tokens of the same texts at the same time.
export TOKENTUNE_CACHE="$work/cache"
awk 'NR > 1 { print $0 }' "$work/data.tsv" | cut -f 1 >"$work/text.txt"
decoder="$work/decoder"
mkdir "$decoder"
cp "$home"/tokentune-samediff/src/test/resources/golden/llama/{config.json,model.safetensors} "$decoder"
cp "$home/datasets/src/test/resources/tokenizer.json" "$decoder"
language() { "$home/tokentune" train --task lm --model "$decoder" --data "$work/text.txt" --max-length 16 --steps 20 --output "$1"; }
(language "$work/first") >"$work/first.log" 2>&1 &
other=$!
ends "two processes, one cache: the second" 0 language "$work/second"
wait "$other"
code=$?
cp "$work/first.log" "$work/log"
report "two processes, one cache: the first, exit code $code" \
  "$([ "$code" = 0 ] && [ "$(hash "$work/first")" = "$(hash "$work/second")" ] && echo true)"
exit "$failed"
