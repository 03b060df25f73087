#!/usr/bin/env bash
# transformers 5.24.0: MPNet's `relative_attention_num_buckets` sizes a table, but not the function that reads it.
# Expected: with 64 buckets, distances are sorted into 64 kinds, so that every row of the table is used.
# Seen: the function always makes 32 kinds with a greatest distance of 128: rows 32 to 63 of the table are never read
#   and never get a gradient.
# Why it matters: whoever pretrains with another number trains parameters that do nothing; and an implementation that
#   follows the configuration computes other attention than transformers from the same file.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 transformers==5.24.0
"$dir/venv/bin/python" - <<'PY'
import torch
import transformers
from transformers import MPNetConfig, MPNetModel

torch.manual_seed(0)
config = MPNetConfig(
    vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
    max_position_embeddings=400, relative_attention_num_buckets=64)
model = MPNetModel(config).eval()
model(torch.randint(4, 20, (1, 390))).last_hidden_state.square().sum().backward()
gradient = model.encoder.relative_attention_bias.weight.grad
used = gradient.abs().sum(1).ne(0)
print("transformers", transformers.__version__, "- table of", tuple(gradient.shape))
print("rows with a gradient, of 390 tokens:", int(used[:32].sum()), "of the first 32,", int(used[32:].sum()), "of the others")
assert gradient.shape[0] == 64, "changed: the table"
assert used[:32].sum() >= 30 and used[32:].sum() == 0, "changed: the rows that are read"
print("Expected: all 64 rows")
print("Seen:     the first 32 only")
PY
