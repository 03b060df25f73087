#!/usr/bin/env bash
# PEFT 0.21.2: with `ensure_weight_tying=True`, `merge_and_unload` adds the update of tied embeddings twice.
# Expected: the merged model computes what the adapted one did. The option is what PEFT's own warning recommends
#   for tied models, "for example when merging".
# Seen: embedding and head share one matrix, each adds the common update when it is merged, and the matrix ends
#   up with the update applied twice. The logits change by as much as their own size. There is a warning about
#   possible complications, no error.
# Why it matters: small models (Llama 3.2, Qwen2, Gemma, GPT-2) tie their embeddings, and merging is the last
#   step before export: what is tested is not what is shipped.
# The installation takes 6 GB in the temporary folder, as PyTorch does.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 transformers==5.24.0 peft==0.21.2
"$dir/venv/bin/python" - <<'PY'
import warnings

import torch
import transformers
from peft import LoraConfig, get_peft_model, __version__
from transformers import LlamaConfig, LlamaForCausalLM

warnings.simplefilter("ignore")
transformers.logging.set_verbosity_error()
print("PEFT", __version__)
torch.manual_seed(0)
base = LlamaForCausalLM(LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
                                    num_attention_heads=2, tie_word_embeddings=True))
model = get_peft_model(base, LoraConfig(r=4, target_modules=["embed_tokens"], ensure_weight_tying=True)).eval()
layer = model.base_model.model.model.embed_tokens
torch.nn.init.normal_(layer.lora_embedding_B["default"], std=0.3)
torch.nn.init.normal_(layer.lora_embedding_A["default"], std=0.3)
before, update = layer.base_layer.weight.detach().clone(), layer.get_delta_weight("default").detach().clone()
ids = torch.tensor([[1, 5, 9, 2]])
adapted = model(ids).logits.detach()
merged = model.merge_and_unload()
times = ((merged.get_input_embeddings().weight - before).norm() / update.norm()).item()
change = (merged(ids).logits - adapted).abs().max().item()
print(f"the matrix changed by {times:.3f} times the update")
print(f"largest logit {adapted.abs().max():.2f}, largest change of a logit by merging {change:.2f}")
assert abs(times - 2) < 1e-3, "changed: the update"
assert change > 0.5, "changed: the logits"
print("Expected: once the update, no change of the logits")
print("Seen:     twice the update, other logits")
PY
