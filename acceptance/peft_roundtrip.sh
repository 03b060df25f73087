#!/usr/bin/env bash
# Trains adapters on tiny models, loads them in Python's PEFT, and prints the greatest difference of its logits from those here,
# over the largest logit: classifiers of BERT, RoBERTa and DistilBERT, tags and answers, GPT-2 and Llama; with biases that do not
# train, all that do, and those of adapted layers; and the difference of models saved with the adapters merged in.
# Usage: acceptance/peft_roundtrip.sh PYTHON; about 5 minutes. PYTHON has torch, transformers and peft.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$python" "$home/acceptance/peft_roundtrip.py" prepare "$home/tokentune-samediff/src/test/resources/peft" "$work" 2>"$work/err" ||
  { cat "$work/err"; exit 1; }
names=()

train() { # NAME OPTIONS...
  "$home/tokentune" train "${@:2}" --steps 20 --learning-rate 1e-2 --batch-size 4 --output "$work/$1" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
}

adapters() { # NAME LORA OPTIONS...
  names+=("$1")
  train "$1" "${@:3}" --lora "$2"
  if [[ "$2" == *bias=all* ]]; then
    train "$1-merged" "${@:3}" --lora "$2" --merge
  fi
}

for bias in none all lora_only; do
  adapters "bert-$bias" "r=3,alpha=7,bias=$bias,targets=query+value" --model "$work/bert" --data "$work/classes.csv"
  adapters "roberta-$bias" "r=3,alpha=7,bias=$bias,targets=query+value" --model "$work/roberta" --data "$work/classes.csv"
  adapters "distilbert-$bias" "r=3,alpha=7,bias=$bias,targets=q_lin+v_lin" --model "$work/distilbert" --data "$work/classes.csv"
  adapters "gpt2-$bias" "r=3,alpha=7,bias=$bias,targets=c_attn+c_proj" --task lm --model "$work/gpt2" --data "$work/text.txt" --max-length 12
  adapters "llama-$bias" "r=3,alpha=7,bias=$bias,targets=q_proj+v_proj" --task lm --model "$work/llama" --data "$work/text.txt" --max-length 12
done
adapters llama-all-linear "r=3,alpha=7,rslora,bias=all" --task lm --model "$work/llama" --data "$work/text.txt" --max-length 12
adapters tied "r=3,alpha=7,bias=all" --task lm --model "$work/llama-tied" --data "$work/text.txt" --max-length 12
adapters encoder-tags "r=3,alpha=7,bias=all" --task token --model "$work/encoder" --data "$work/tags.jsonl"
adapters encoder-answers "r=3,alpha=7,bias=all" --task qa --model "$work/encoder" --data "$work/questions.json" --max-length 16
adapters encoder-classes "r=3,alpha=7,bias=all" --model "$work/encoder" --data "$work/classes.csv"

"$python" "$home/acceptance/peft_roundtrip.py" score "$work" "${names[@]}" 2>"$work/err" || { cat "$work/err"; exit 1; }
status=0
"$home/tokentune" parity "${names[@]/#/$work/}" >"$work/log" 2>"$work/err" || { status=$?; cat "$work/err"; }
awk -v work="$work/" '/safetensors$/ { name = substr($1, length(work) + 1); sub("/.*", "", name) }
  $1 == "logits" { printf "%-34s %s %s\n", name, $2, $3 }' "$work/log"
exit "$status"
