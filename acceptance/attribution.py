"""Writes the test resource attribution.json: gradient times input of logits of golden encoders, with respect to the embedding output.
Made with PyTorch 2.15.0 and transformers 5.24.0. Usage: python attribution.py tokentune-samediff/src/test/resources/golden"""
import json
import sys

import torch
from transformers import AutoModelForSequenceClassification

root = sys.argv[1]
cases = []
for name in ("bert", "roberta", "distilbert"):
    torch.manual_seed(3)
    model = AutoModelForSequenceClassification.from_pretrained(f"{root}/{name}", dtype=torch.float32).eval()
    ids = torch.randint(3, model.config.vocab_size, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    ids[1, 6:] = model.config.pad_token_id or 0
    embeddings = model.base_model.embeddings
    kept = []
    embeddings.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.retain_grad())
    logits = model(input_ids=ids, attention_mask=mask).logits
    outputs = logits.argmax(dim=1)
    logits[torch.arange(2), outputs].sum().backward()
    products = (kept[0] * kept[0].grad).sum(-1) * mask
    cases.append(dict(model=name, ids=ids.tolist(), mask=mask.tolist(), outputs=outputs.tolist(), products=products.tolist()))
print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
