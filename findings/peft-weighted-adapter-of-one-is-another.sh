#!/usr/bin/env bash
# PEFT 0.21.2: `add_weighted_adapter` with one adapter and weight 1 returns a different adapter.
# Expected: a copy, as for plain LoRA; the documentation calls the combination type "cat" precise.
# Seen: with use_rslora the update is sqrt(r) times as large, with use_dora the magnitudes are those of a fresh
#   adapter, with lora_bias the bias is left behind. There is no error and no warning. (PEFT issue 3761.)
# Why it matters: mixing adapters, or scaling one down, is how fine-tuned skills are combined, and rsLoRA and
#   DoRA are common recommendations: the result is not a mixture of what was trained.
# The installation takes 6 GB in the temporary folder, as PyTorch does.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 transformers==5.24.0 peft==0.21.2
"$dir/venv/bin/python" - <<'PY'
import warnings

import torch
from peft import LoraConfig, get_peft_model, __version__

warnings.simplefilter("ignore")
print("PEFT", __version__)
for name in ("plain LoRA", "use_rslora", "use_dora", "lora_bias"):
    torch.manual_seed(0)
    x, linear = torch.randn(4, 16), torch.nn.Linear(16, 16)
    base = linear(x)
    options = {} if name == "plain LoRA" else {name: True}
    config = LoraConfig(r=4, target_modules=["0"], **options)
    model = get_peft_model(torch.nn.Sequential(linear), config, "one")
    for parameter, values in model.named_parameters():
        if "lora_" in parameter:
            torch.nn.init.normal_(values, std=0.3)
    trained = model(x)
    model.add_weighted_adapter(["one"], [1.0], "copy", combination_type="cat")
    model.set_adapter("copy")
    error = ((model(x) - trained).norm() / (trained - base).norm()).item()
    print(f"{name}: the copy's output differs by {error:.3f} of what the adapter does")
    assert error < 1e-5 if name == "plain LoRA" else error > 0.1, f"changed: {name}"
print("Expected: 0 each time")
print("Seen:     0 for plain LoRA alone")
PY
