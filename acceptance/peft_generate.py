"""Loads adapters that tokentune wrote into Python's PEFT and compares greedy ids.

    ./tokentune generate --model BASE --adapter ADAPTER --prompt TEXT --temperature 0 --json ours.json
    python peft_generate.py BASE ADAPTER ours.json

BASE is a Hugging Face folder. Wants torch, transformers and peft (seen with 2.3.1, 4.36.0 and 0.5.0).
"""
import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

base, adapter, ours = sys.argv[1:4]
result = json.load(open(ours))
tokenizer = PreTrainedTokenizerFast(tokenizer_file=base + "/tokenizer.json")
prompt = tokenizer(result["prompt"], return_tensors="pt").input_ids
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, torch_dtype=torch.float32), adapter).eval()
with torch.no_grad():
    count = len(result["ids"])
    ids = model.generate(input_ids=prompt, do_sample=False, max_new_tokens=count, min_new_tokens=count)
theirs = ids[0, prompt.shape[1]:].tolist()
print("prompt", prompt.tolist()[0])
print("PEFT     ", theirs)
print("tokentune", result["ids"])
same = sum(a == b for a, b in zip(theirs, result["ids"]))
print(f"{same} of {count} ids are the same")
sys.exit(0 if theirs == result["ids"] else 1)
