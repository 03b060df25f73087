#!/usr/bin/env bash
# PEFT 0.21.2: `add_weighted_adapter(combination_type="linear")` is no linear combination of the updates.
# Expected: with weights 0.5 and 0.5, the mean of the two weight updates; combination_type "cat" gives exactly
#   that.
# Seen: the factors A and B are combined one by one, with the square root of the weights, so that the product
#   has cross terms. For two random adapters the result is as far off as it is large. For an adapter and an
#   equal one stored as -A, -B, the mean is 0 instead of the update itself.
# Why it matters: it is the obvious choice for merging two skills or averaging checkpoints, and the result
#   depends on how the factors happen to be scaled and signed, not on what the adapters do.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q torch==2.15.0 transformers==5.24.0 peft==0.21.2
"$dir/venv/bin/python" - <<'PY'
import warnings

import torch
from peft import LoraConfig, get_peft_model, __version__

warnings.simplefilter("ignore")
print("PEFT", __version__)
torch.manual_seed(0)
config = LoraConfig(r=4, target_modules=["0"], init_lora_weights=False)
model = get_peft_model(torch.nn.Sequential(torch.nn.Linear(16, 16)), config, "one")
model.add_adapter("two", config)
model.add_adapter("negated", config)
layer = model.base_model.model[0]
for factor in (layer.lora_A, layer.lora_B):
    factor["negated"].weight.data = -factor["one"].weight.data
one, two = layer.get_delta_weight("one"), layer.get_delta_weight("two")
assert torch.equal(one, layer.get_delta_weight("negated"))
for kind in ("cat", "linear"):
    model.add_weighted_adapter(["one", "two"], [0.5, 0.5], kind, combination_type=kind)
    error = ((layer.get_delta_weight(kind) - (one + two) / 2).norm() / ((one + two) / 2).norm()).item()
    model.add_weighted_adapter(["one", "negated"], [0.5, 0.5], kind + "2", combination_type=kind)
    same = (layer.get_delta_weight(kind + "2").norm() / one.norm()).item()
    print(f"{kind}: relative error of the mean of two adapters {error:.3f}, "
          f"relative size of the mean of two equal updates {same:.3f}")
    if kind == "cat":
        assert error < 1e-5 and abs(same - 1) < 1e-5, "changed: cat"
assert error > 0.5 and same < 1e-6, "changed: linear"
print("Expected: errors of 0, relative size 1, for linear as for cat")
print("Seen:     an error as large as the mean itself, relative size 0")
PY
