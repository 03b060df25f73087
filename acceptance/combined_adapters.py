"""Makes the golden folder llama-combined: three adapters on the golden model llama, and the logits that peft computes with several of them.
Made with PyTorch 2.15.0, transformers 5.24.0 and peft 0.21.2. Usage: python combined_adapters.py tokentune-samediff/src/test/resources/golden"""
import os
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

root = sys.argv[1]
folder = f"{root}/llama-combined"


def base():
    return AutoModelForCausalLM.from_pretrained(f"{root}/llama", dtype=torch.float32)


torch.manual_seed(5)
for name, rank, targets in (("a", 2, ["q_proj", "v_proj"]), ("b", 3, ["v_proj", "down_proj"]), ("c", 2, ["q_proj", "down_proj"])):
    model = get_peft_model(base(), LoraConfig(task_type="CAUSAL_LM", r=rank, lora_alpha=rank * 2 + 1, target_modules=targets))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn_like(parameter) * 0.4)
    model.save_pretrained(f"{folder}/{name}")
    os.remove(f"{folder}/{name}/README.md")

model = PeftModel.from_pretrained(base(), f"{folder}/a", adapter_name="a")
for name in "bc":
    model.load_adapter(f"{folder}/{name}", adapter_name=name)
ids = torch.randint(3, 96, (2, 6))
case = dict(input_ids=ids)
with torch.no_grad():
    model.base_model.set_adapter(["a", "b"])
    case["stacked"] = model(input_ids=ids).logits
    for kind, adapters, weights in (("cat", ["a", "b", "c"], [0.7, -0.4, 1.5]), ("linear", ["a", "c"], [0.7, -0.4])):
        model.add_weighted_adapter(adapters, weights, kind, combination_type=kind)
        model.set_adapter(kind)
        case[kind] = model(input_ids=ids).logits
save_file({k: v.contiguous() for k, v in case.items()}, f"{folder}/logits.safetensors")
