#!/usr/bin/env bash
# transformers 5.24.0: a Gemma 3 whose rope_parameters are flat, as every other decoder's, keeps its default rotary bases.
# Expected: {"rope_theta": 500} sets the base of all layers, as in Llama, Qwen3 or Gemma 2, or is refused, because Gemma 3 wants
#   an object for each layer type.
# Seen: the base is kept in the configuration, shown by it and saved with it, but the two layer types are added beside it with
#   their defaults, 1,000,000 and 10,000, which are what the model uses. No warning.
# Why it matters: whoever changes the base for longer texts trains and saves a model that never saw it, and the file says otherwise.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q transformers==5.24.0 torch==2.15.0
cd "$dir"
cat > finding.py <<'PY'
import torch, transformers
from transformers import Gemma2Config, Gemma2ForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig

print("transformers", transformers.__version__)
sizes = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=6, num_attention_heads=4,
             num_key_value_heads=2, head_dim=8, query_pre_attn_scalar=8, sliding_window=8)
ids = torch.arange(2, 34)[None]


def logits(model, config, theta):
    extra = {} if theta is None else {"rope_parameters": {"rope_type": "default", "rope_theta": theta}}
    torch.manual_seed(0)
    made = config(**sizes, **extra)
    made._attn_implementation = "eager"
    with torch.no_grad():
        return model(made).eval()(ids).logits, made.rope_parameters


changes = {}
for model, config in ((Gemma2ForCausalLM, Gemma2Config), (Gemma3ForCausalLM, Gemma3TextConfig)):
    plain, _ = logits(model, config, None)
    flat, parameters = logits(model, config, 500.0)
    changes[model.__name__] = (plain - flat).abs().max().item()
    print(model.__name__, "logits change by", changes[model.__name__], "with", parameters)
assert changes["Gemma2ForCausalLM"] > 0 and changes["Gemma3ForCausalLM"] == 0
PY
"$dir/venv/bin/python" finding.py
