#!/usr/bin/env bash
# PEFT 0.21.2: loading an adapter that was saved with its embeddings changes the base model for good.
# Expected: the base model is untouched: `disable_adapter()` and `unload()` give its outputs again.
# Seen: embeddings in the file (`save_embedding_layers=True`, or the automatic choice when the vocabulary was
#   resized) are copied over those of the base. With the adapter disabled or unloaded, or another one active,
#   the model computes something that is neither.
# Why it matters: one base with several adapters is the usual way to serve them, and the disabled adapter is the
#   usual reference model (DPO, PPO, evaluation): both are silently wrong after such a load.
# The installation takes 6 GB in the temporary folder, as PyTorch does.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 transformers==5.24.0 peft==0.21.2
"$dir/venv/bin/python" - <<'PY'
import tempfile
import warnings

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model, __version__
from transformers import LlamaConfig, LlamaForCausalLM

warnings.simplefilter("ignore")
transformers.logging.set_verbosity_error()
print("PEFT", __version__)
ids = torch.tensor([[1, 5, 9, 2]])


def llama():
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
                                        num_attention_heads=2)).eval()


for save in (False, True):
    trained = llama()
    torch.nn.init.normal_(trained.get_input_embeddings().weight)  # stands for training
    folder = tempfile.mkdtemp()
    adapter = get_peft_model(trained, LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False))
    adapter.save_pretrained(folder, save_embedding_layers=save)
    reference = llama()(ids).logits
    model = PeftModel.from_pretrained(llama(), folder)
    with model.disable_adapter():
        disabled = (model(ids).logits - reference).abs().max().item()
    unloaded = (model.unload()(ids).logits - reference).abs().max().item()
    print(f"save_embedding_layers={save}: largest difference from the base, adapter disabled: {disabled:.3f}, "
          f"unloaded: {unloaded:.3f}")
    assert (disabled > 0.01 and unloaded > 0.01) if save else disabled == unloaded == 0, f"changed: {save}"
print("Expected: 0 each time")
print("Seen:     another model once an adapter with embeddings was loaded")
PY
