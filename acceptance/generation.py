"""Generates with transformers 5.24.0 (PyTorch 2.15.0, float32, CPU) on the golden decoders, and prints the test resource generation.json.
Usage: python generation.py tokentune-samediff/src/test/resources/golden"""
import json
import random
import sys

import torch
from transformers import AutoModelForCausalLM, GenerationConfig

root = sys.argv[1]
cases = []


def run(name, prompts, **fields):
    """Continues prompts, padded on the left; of a new text the tokens before the first end token."""
    model = AutoModelForCausalLM.from_pretrained(f"{root}/{name}", dtype=torch.float32).eval()
    model.generation_config = GenerationConfig()
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    out = model.generate(input_ids=ids, attention_mask=mask, do_sample=False, pad_token_id=0, **fields)
    new = [row[width:].tolist() for row in out]
    for i, row in enumerate(new):
        ends = [j for j, token in enumerate(row) if token in fields.get("eos_token_id", [])]
        new[i] = row[: ends[0]] if ends else row
    return dict(model=name, prompts=prompts, **fields, generated=new)


random.seed(5)
for name, vocabulary, n in (("llama", 96, 14), ("gpt2", 96, 14), ("mistral", 24, 6)):
    prompts = [[random.randrange(1, vocabulary) for _ in range(length)] for length in (5, 2, 9)]
    cases.append(run(name, prompts, max_new_tokens=n))
    for penalty in (1.3, 0.7):
        cases.append(run(name, prompts[:1], max_new_tokens=n, repetition_penalty=penalty))
    for fields in (
        dict(num_beams=3),
        dict(num_beams=4, length_penalty=2.0),
        dict(num_beams=4, length_penalty=-1.0, early_stopping=True),
        dict(num_beams=3, early_stopping="never", length_penalty=0.5),
        dict(num_beams=3, repetition_penalty=1.5),
    ):
        free = run(name, prompts[2:], max_new_tokens=n, **fields)
        cases.append(free)
        tokens = free["generated"][0]
        ends = sorted({tokens[3], tokens[-2]} | set(random.sample(range(vocabulary), vocabulary // 12)))
        cases.append(run(name, prompts[2:], max_new_tokens=n, eos_token_id=ends, **fields))
        cases.append(run(name, prompts[2:], max_new_tokens=n, eos_token_id=ends[:1], **fields))

print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
