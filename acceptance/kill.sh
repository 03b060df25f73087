#!/usr/bin/env bash
# Long runs: a training is killed (kill -9) 20 times at random moments, resumes with --resume auto each time, and must end
# with weights that are bit for bit those of an uninterrupted run; prints a line for each kind of run. Then the disk fills
# up, and the folder becomes read-only: the training must print an error, exit with 1, and keep its last training checkpoint.
# Exits 1 if anything differs. Usage: acceptance/kill.sh [plain|tokentune|lora|stream|disk|readonly]...; default all;
# 3 to 5 minutes per kind on 2 cores. SEED=N repeats the moments of the kills as far as the machine allows. STEPS=N is the
# number of steps, KILLS=N the number of kills. Uses a small tmpfs if it may be mounted; otherwise a limit on file sizes stands
# in for the full disk, and chmod for the read-only file system.
set -uo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
mounted="$work/disk"
training=0
# shellcheck disable=SC2317 # the trap calls it
cleanup() {
  [ "$training" != 0 ] && kill -9 "$training" 2>/dev/null
  mountpoint -q "$mounted" && umount "$mounted"
  rm -rf "$work"
}
trap cleanup EXIT
RANDOM="${SEED:-$$}"
steps="${STEPS:-1500}"
kills="${KILLS:-20}"
failed=0
export TOKENTUNE_JAVA_OPTIONS="${TOKENTUNE_JAVA_OPTIONS:--Xmx1g}"
"$home/tokentune" --version >/dev/null || exit 1 # builds if needed

base="$work/base" # a BERT of 3 layers x 32, with dropout
mkdir "$base" "$mounted"
cp "$home"/tokentune-samediff/src/test/resources/golden/bert/{config.json,model.safetensors} "$base"
cp "$home/datasets/src/test/resources/tokenizer.json" "$base"
awk 'BEGIN { srand(4); print "text\tlabel"; split("cat dog bird fish", word, " ")
  for (i = 0; i < 400; i++) { mood = rand() < 0.5 ? "good" : "bad"; text = "the " mood
    for (n = 1 + rand() * 8; n > 0; n--) text = text " " word[1 + int(rand() * 4)]
    print text "\t" mood } }' >"$work/data.tsv"
common=(--model "$base" --data "$work/data.tsv" --batch-size 4 --learning-rate 1e-3 --evaluate-every 97)

decoder="$work/decoder" # a Llama of 2 layers x 32, and a text of 800 kB
mkdir "$decoder"
cp "$home"/tokentune-samediff/src/test/resources/golden/llama/{config.json,model.safetensors} "$decoder"
cp "$home/datasets/src/test/resources/tokenizer.json" "$decoder"
cut -f 1 "$work/data.tsv" >"$work/held.txt"
for _ in $(seq 60); do cat "$work/held.txt"; done >"$work/text.txt"
streaming=(--task lm --model "$decoder" --data "$work/text.txt" --stream --validation "$work/held.txt" --test "$work/held.txt"
  --max-length 16 --batch-size 4 --learning-rate 1e-3 --evaluate-every 97)

options() { # KIND
  case "$1" in
    plain) echo --tokens all ;;
    tokentune) echo --tokens 25% --clip none ;;
    lora) echo --tokens 50% --lora r=4,dropout=0.1 --accumulate 2 ;;
    stream) echo --tokens 50% ;;
  esac
}

train() { # OUTPUT OPTIONS... ; replaces the shell, so that a kill reaches the training
  local what=("${common[@]}")
  case "$1" in *stream*) what=("${streaming[@]}") ;; esac
  exec "$home/tokentune" train "${what[@]}" "${@:2}" --output "$1"
}

hash() { cat "$1"/*model.safetensors 2>/dev/null | sha256sum | cut -c 1-16; }

newest() { ls "$1/checkpoints" 2>/dev/null | tail -1; }

pause() { sleep "$(awk -v r="$RANDOM" -v most="$1" 'BEGIN { print most * r / 32768 }')"; }

killing() { # KIND
  local kind="$1" out="$work/$1" whole="$work/$1-whole" done=0 code=0 lines before
  read -ra own <<<"$(options "$kind")"
  (train "$whole" "${own[@]}" --steps "$steps") >"$work/log" 2>&1 || { cat "$work/log"; failed=1; return; }
  while true; do
    before="$(cat "$out/log.jsonl" 2>/dev/null | wc -l)"
    (train "$out" "${own[@]}" --steps "$steps" --save-every 10 --resume auto) >"$work/log" 2>&1 &
    training=$!
    if [ "$done" -lt "$kills" ]; then
      if [ $((RANDOM % 5)) = 0 ]; then
        pause 4 # possibly before the first step
      else
        lines="$before"
        while [ "$lines" = "$before" ] && kill -0 "$training" 2>/dev/null; do
          sleep 0.05
          lines="$(cat "$out/log.jsonl" 2>/dev/null | wc -l)"
        done
        pause 1.5
      fi
      kill -9 "$training" 2>/dev/null && done=$((done + 1))
    fi
    wait "$training" 2>/dev/null
    code=$?
    training=0
    [ "$code" = 137 ] || break
  done
  if [ "$code" != 0 ]; then cat "$work/log"; fi
  local a b verdict=equal
  a="$(hash "$whole")"
  b="$(hash "$out")"
  if [ "$code" != 0 ] || [ "$a" != "$b" ] || [ "$done" -lt "$kills" ]; then
    verdict="FAILED"
    failed=1
  fi
  printf '%-10s %5s steps, killed %2s times, %-36s uninterrupted %s, killed %s: %s\n' "$kind" "$steps" "$done" \
    "$(grep -h 'Goes on' "$work/log" | tail -1)" "$a" "$b" "$verdict"
}

refused() { # NAME OUTPUT COMMAND...: must exit with 1 and an error, and leave the training checkpoints unchanged
  local name="$1" out="$2" before code
  before="$(newest "$out")"
  shift 2
  "$@" >"$work/log" 2>&1
  code=$?
  if [ "$code" != 1 ] || grep -q 'Exception\|^\sat ' "$work/log" || [ "$(newest "$out")" != "$before" ]; then
    cat "$work/log"
    echo "$name: FAILED with $code; newest checkpoint before '$before', after '$(newest "$out")'"
    failed=1
  else
    echo "$name: $(tail -1 "$work/log")"
  fi
}

goes_on() { # NAME OUTPUT WHOLE
  again "$2" >"$work/log" 2>&1
  local code=$?
  if [ "$code" = 0 ] && [ "$(hash "$2")" = "$(hash "$3")" ]; then
    echo "$1, afterwards: $(grep -h 'Goes on' "$work/log") Weights equal $(hash "$3")."
  else
    cat "$work/log"
    echo "$1, afterwards: FAILED with $code"
    failed=1
  fi
}

again() { # OUTPUT
  (train "$1" --steps 120 --save-every 20 --resume auto)
}

limited() { # OUTPUT: no file may be larger than 100 KB
  (ulimit -f 100 && again "$1")
}

unbroken() {
  [ -d "$work/short" ] || (train "$work/short" --steps 120) >"$work/log" 2>&1 || cat "$work/log"
}

begin() { # OUTPUT: killed once it has a training checkpoint
  (train "$1" --steps 120 --save-every 20) >"$work/log" 2>&1 &
  training=$!
  while [ -z "$(newest "$1")" ] && kill -0 "$training" 2>/dev/null; do sleep 0.02; done
  kill -9 "$training" 2>/dev/null
  wait "$training" 2>/dev/null
  training=0
}

disk() {
  unbroken
  begin "$work/limited"
  refused "file-size limit" "$work/limited" limited "$work/limited"
  goes_on "file-size limit" "$work/limited" "$work/short"
  if mount -t tmpfs -o size=8m tmpfs "$mounted" 2>/dev/null; then
    begin "$mounted/out"
    head -c $((($(df --output=avail -k "$mounted" | tail -1) - 200) * 1024)) /dev/zero >"$mounted/filler"
    refused "full disk" "$mounted/out" again "$mounted/out"
    rm "$mounted/filler"
    goes_on "full disk" "$mounted/out" "$work/short"
    umount "$mounted"
  else
    echo "full disk: skipped, as tmpfs cannot be mounted here; see the file-size limit"
  fi
}

readonly_folder() {
  unbroken
  if mount -t tmpfs -o size=8m tmpfs "$mounted" 2>/dev/null; then
    begin "$mounted/out"
    mount -o remount,ro "$mounted"
    refused "read-only" "$mounted/out" again "$mounted/out"
    mount -o remount,rw "$mounted"
    goes_on "read-only" "$mounted/out" "$work/short"
    umount "$mounted"
  elif [ "$(id -u)" != 0 ]; then
    begin "$work/read"
    chmod -R a-w "$work/read"
    refused "read-only" "$work/read" again "$work/read"
    chmod -R u+w "$work/read"
    goes_on "read-only" "$work/read" "$work/short"
  else
    echo "read-only: skipped, as root can write anywhere and tmpfs cannot be mounted here"
  fi
}

for kind in "${@:-plain tokentune lora stream disk readonly}"; do
  for one in $kind; do
    case "$one" in
      plain | tokentune | lora | stream) killing "$one" ;;
      disk) disk ;;
      readonly) readonly_folder ;;
      *)
        echo "Unknown kind $one: use plain, tokentune, lora, stream, disk or readonly."
        exit 1
        ;;
    esac
  done
done
exit "$failed"
