#!/usr/bin/env bash
# sentence-transformers 6.2.0: a `Dense` module saves the name of its activation function and not its arguments.
# Expected: the loaded module computes the same vectors as the saved one, or saving complains.
# Seen: LeakyReLU(0.5) comes back as LeakyReLU(0.01), ELU(3) as ELU(1), Hardtanh(-3, 3) as Hardtanh(-1, 1):
#   config.json has the class name only, and the class is made anew without arguments. Nothing is logged.
# Why it matters: the model that was evaluated in the training script and the one that users load give different
#   embeddings, which cannot be mixed in one index.
# The installation takes 6 GB in the temporary folder, as PyTorch does.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 transformers==5.24.0 sentence-transformers==6.2.0
"$dir/venv/bin/python" - <<'PY'
import json
import tempfile

import sentence_transformers
import torch
from sentence_transformers.sentence_transformer.modules import Dense
from torch import nn

print("sentence-transformers", sentence_transformers.__version__)
torch.manual_seed(0)
features = torch.randn(4, 8) * 3
for activation in (nn.Tanh(), nn.LeakyReLU(0.5), nn.ELU(3.0), nn.Hardtanh(-3, 3)):
    dense, folder = Dense(8, 4, activation_function=activation), tempfile.mkdtemp()
    dense.save(folder)
    loaded = Dense.load(folder)
    vectors = [m({"sentence_embedding": features})["sentence_embedding"] for m in (dense, loaded)]
    difference = (vectors[0] - vectors[1]).abs().max().item()
    with open(folder + "/config.json") as file:
        print(f"{activation} is loaded as {loaded.activation_function}, difference {difference:.3f};",
              json.load(file)["activation_function"])
    assert (difference == 0) == isinstance(activation, nn.Tanh), f"changed: {activation}"
print("Expected: no difference")
print("Seen:     a difference wherever the activation has arguments")
PY
