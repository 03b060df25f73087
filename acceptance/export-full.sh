#!/usr/bin/env bash
# Every kind of export onto a disk that becomes full while it writes, with nothing there and over an earlier export. Each must
# end with exit code 1 and one sentence, and leave the disk as it was. A tmpfs of several sizes, if it may be mounted, and a
# limit on file sizes; also a disk without free inodes, and one that is read-only. Prints a line for each kind and way.
# Usage: acceptance/export-full.sh; 6 minutes on 2 cores.
set -uo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
disk="$work/disk"
trap 'umount "$disk" 2>/dev/null; rm -rf "$work"' EXIT
golden="$home/tokentune-samediff/src/test/resources/golden"
failed=0
mkdir "$disk" "$work/limited"
"$home/tokentune" --version >/dev/null || exit 1 # builds if needed

for model in bert llama; do
  mkdir "$work/$model"
  cp "$golden/$model"/{config.json,model.safetensors} "$home/datasets/src/test/resources/tokenizer.json" "$work/$model"
done

contents() { (cd "$1" && find . -type f -exec sha256sum {} + | sort && find . | sort); }

refused() { # NAME FOLDER COMMAND...: the command fails, says why in one line, and the folder stays as it is
  local name="$1" folder="$2" before code
  shift 2
  before="$(contents "$folder")"
  "$@" >"$work/out" 2>"$work/err"
  code=$?
  if [ "$code" = 0 ]; then
    echo "$name: there was room"
    rm -rf "${folder:?}"/*
  elif [ "$code" = 1 ] && [ "$(wc -l <"$work/err")" = 1 ] && [ "$before" = "$(contents "$folder")" ]; then
    echo "$name: $(sed "s|$work/||g" "$work/err")"
    refusals=$((refusals + 1))
  else
    echo "$name: FAILED, exit code $code"
    cat "$work/err"
    contents "$folder"
    failed=1
  fi
}

mounted() { # OPTIONS: whether it is a disk of its own now
  mount -t tmpfs -o "$1" tmpfs "$disk" 2>/dev/null
}

kind() { # NAME OUTPUT OPTIONS...
  local name="$1" output="$2" bytes share refusals=0
  shift 2
  "$home/tokentune" export "$@" --output "$work/whole" >/dev/null 2>"$work/err" || { cat "$work/err"; exit 1; }
  bytes="$(find "$work/whole" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')"
  for share in 5 50 90; do
    if mounted "size=$((bytes * share / 100 / 4096 * 4 + 4))k"; then
      refused "$name, disk of $share%" "$disk" "$home/tokentune" export "$@" --output "$disk/$output"
      umount "$disk"
    fi
    if mounted "size=$((bytes * (100 + share) / 100 / 4096 * 4 + 24))k"; then
      cp -r "$work/whole" "$disk/$output"
      refused "$name over an earlier one, $share% free" "$disk" "$home/tokentune" export "$@" --output "$disk/$output"
      umount "$disk"
    fi
    refused "$name, files of at most $share%" "$work/limited" \
      bash -c "ulimit -f $((bytes * share / 100 / 1024 + 1)); exec \"\$@\"" _ "$home/tokentune" export "$@" --output "$work/limited/$output"
  done
  if mounted size=20m,nr_inodes=1; then
    refused "$name, no inodes" "$disk" "$home/tokentune" export "$@" --output "$disk/$output"
    umount "$disk"
  fi
  if mounted ro,size=1m; then
    refused "$name, read-only" "$disk" "$home/tokentune" export "$@" --output "$disk/$output"
    umount "$disk"
  fi
  [ "$refusals" -ge 3 ] || { echo "$name: FAILED, refused $refusals times only"; failed=1; }
  rm -rf "$work/whole"
}

kind gguf x.gguf --model "$golden/gguf/tiny-f32.gguf" --to gguf
kind "gguf of adapters" x.gguf --model "$work/llama" --adapter "$golden/llama-lora" --to gguf
kind onnx onnx --model "$work/bert" --to onnx
kind safetensors folder --model "$work/bert" --to safetensors
kind shards folder --model "$work/bert" --to safetensors --shard 20KB
kind dl4j x.zip --model "$work/bert" --to dl4j
exit "$failed"
