#!/usr/bin/env bash
# PEFT 0.21.2: an adapter with overlapping patterns changes when it is saved and loaded.
# Expected: the same outputs. If two patterns match, the more specific one applies, or a warning says that one is
#   unused.
# Seen: the first match in dictionary order applies, and adapter_config.json is written with its keys sorted.
#   `alpha_pattern={"q_proj": 4, "layers.0.q_proj": 64}` trains both layers with alpha 4; the loaded adapter has
#   64 in layer 0, silently. With `rank_pattern` loading fails with a shape mismatch.
# Why it matters: "a default for all q_proj, and another value for the first layer" is the natural way to write
#   it. What was evaluated after training is not what is deployed: here the update of one layer is 16 times as
#   strong.
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
from peft import LoraConfig, PeftModel, get_peft_model, __version__

warnings.simplefilter("ignore")
print("PEFT", __version__)
x = torch.randn(3, 8)


def base():
    torch.manual_seed(0)
    layers = [torch.nn.ModuleDict({"q_proj": torch.nn.Linear(8, 8)}) for _ in range(2)]
    model = torch.nn.Module()
    model.layers = torch.nn.ModuleList(layers)
    model.forward = lambda x: layers[1]["q_proj"](layers[0]["q_proj"](x))
    return model


def alphas(model):
    return [4 * layer["q_proj"].scaling["default"] for layer in model.base_model.model.layers]


for pattern in ({"layers.0.q_proj": 64, "q_proj": 4}, {"q_proj": 4, "layers.0.q_proj": 64}):
    config = LoraConfig(r=4, lora_alpha=4, target_modules=["q_proj"], alpha_pattern=pattern, init_lora_weights=False)
    trained, folder = get_peft_model(base(), config), tempfile.mkdtemp()
    trained.save_pretrained(folder)
    with open(folder + "/adapter_config.json") as file:
        saved = json.load(file)["alpha_pattern"]
    loaded = PeftModel.from_pretrained(base(), folder)
    difference = (trained(x) - loaded(x)).abs().max().item()
    print(f"{pattern}, saved as {saved}: alpha of the two layers {alphas(trained)}, loaded {alphas(loaded)}, "
          f"largest difference of the output {difference:.3f}")
    if next(iter(pattern)) == "q_proj":
        assert alphas(trained) == [4, 4] and alphas(loaded) == [64, 4] and difference > 0.1, "changed: saved"
    else:
        assert alphas(trained) == alphas(loaded) == [64, 4] and difference == 0, "changed: the other order"
print("Expected: no difference")
print("Seen:     alpha 4 becomes 64 in the second case")
PY
