#!/usr/bin/env bash
# PEFT 0.21.2: `PeftModel.from_pretrained` silently skips tensors of the adapter that have no place in the
# model.
# Expected: an error or a warning, as PEFT gives for tensors that are missing and transformers for unexpected
#   ones.
# Seen: an adapter of a four-layer model loads onto a two-layer one, and an adapter whose adapter_config.json
#   lists fewer target_modules than the file has loses the others. Neither is mentioned; only `load_adapter`
#   returns `unexpected_keys`.
# Why it matters: the wrong size or revision of a base model, or an edited configuration, gives an adapter that
#   is applied in part: no failure, only worse answers.
# The installation takes 6 GB in the temporary folder, as PyTorch does.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 transformers==5.24.0 peft==0.21.2
"$dir/venv/bin/python" - <<'PY'
import json
import tempfile
import warnings

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model, __version__
from transformers import LlamaConfig, LlamaForCausalLM

warnings.simplefilter("ignore")
transformers.logging.set_verbosity_error()
print("PEFT", __version__)


def llama(layers):
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=32,
                                        num_hidden_layers=layers, num_attention_heads=2))


def load(folder):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(llama(2), folder)
    said = [str(w.message) for w in said if "keys" in str(w.message)]
    used = sum("lora_" in name for name in model.state_dict())
    print(f"    {used} of 16 tensors used; warnings about keys: {said}")
    return used, said


folder = tempfile.mkdtemp()
config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
get_peft_model(llama(4), config).save_pretrained(folder)
print("adapter of q_proj and v_proj in four layers, on a model of two layers:")
assert load(folder) == (8, []), "changed: layers"
path = folder + "/adapter_config.json"
with open(path) as file:
    edited = json.load(file) | {"target_modules": ["q_proj"]}
with open(path, "w") as file:
    json.dump(edited, file)
print("the same with q_proj alone in target_modules:")
assert load(folder) == (4, []), "changed: target_modules"
print("Expected: an error, or a warning that names the tensors left over")
print("Seen:     8, then 12 tensors passed over without a word")
PY
