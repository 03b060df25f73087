"""Makes the golden folders llama-dora, gpt2-dora and bert-dora: DoRA adapters on golden models, and what PEFT computes with them.
Made with PyTorch 2.15.0, transformers 5.24.0 and peft 0.21.2. Usage: python dora.py tokentune-samediff/src/test/resources/golden"""
import json
import os
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

root = sys.argv[1]
CASES = {
    "llama": (AutoModelForCausalLM, dict(task_type="CAUSAL_LM", r=2, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"])),
    "gpt2": (AutoModelForCausalLM, dict(task_type="CAUSAL_LM", r=2, lora_alpha=3, fan_in_fan_out=True, target_modules=["c_attn", "mlp.c_proj"],
                                        use_rslora=True)),
    "bert": (AutoModelForSequenceClassification, dict(task_type="SEQ_CLS", r=3, lora_alpha=4, target_modules=["query", "output.dense"],
                                                      bias="lora_only")),
}
for name, (kind, fields) in CASES.items():
    torch.manual_seed(7)
    base = kind.from_pretrained(f"{root}/{name}", dtype=torch.float32)
    for module in base.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model = get_peft_model(base, LoraConfig(use_dora=True, **fields))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.requires_grad:
                scale = 0.1 if "classifier" in key or "bias" in key else 0.3
                parameter.add_(torch.randn_like(parameter) * scale)
    folder = f"{root}/{name}-dora"
    model.save_pretrained(folder)
    os.remove(f"{folder}/README.md")
    config = json.load(open(f"{folder}/adapter_config.json"))
    config["base_model_name_or_path"] = f"../{name}"
    json.dump(config, open(f"{folder}/adapter_config.json", "w"), indent=1)
    model = PeftModel.from_pretrained(kind.from_pretrained(f"{root}/{name}", dtype=torch.float32), folder, is_trainable=True)
    ids = torch.randint(3, base.config.vocab_size, (2, 7))
    mask = torch.ones_like(ids)
    if kind is AutoModelForCausalLM:
        labels = ids.clone()
    else:
        mask[1, 4:] = 0
        labels = torch.tensor([1, 0])
    # Training mode, as the gradients are those of training; every rate of dropout is 0.
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0
        if hasattr(module, "attn_dropout") and isinstance(module.attn_dropout, float):
            module.attn_dropout = 0.0
    out = model(input_ids=ids, attention_mask=mask, labels=labels)
    out.loss.backward()
    model.eval()
    assert torch.allclose(model(input_ids=ids, attention_mask=mask, labels=labels).loss, out.loss, atol=1e-6)
    case = dict(input_ids=ids, attention_mask=mask, labels=labels, logits=out.logits.detach(), loss=out.loss.detach())
    for key, parameter in model.named_parameters():
        if parameter.grad is not None:
            case["grad." + key] = parameter.grad.clone()
    save_file({k: v.contiguous() for k, v in case.items()}, f"{folder}/{'classify' if name == 'bert' else 'lm'}.safetensors")
    merged = model.merge_and_unload().state_dict()
    base = kind.from_pretrained(f"{root}/{name}", dtype=torch.float32).state_dict()
    changed = {k: v.contiguous().clone() for k, v in merged.items() if k in base and k.endswith(".weight") and not torch.equal(v, base[k]) and "classifier" not in k}
    save_file(changed, f"{folder}/merged.safetensors")
    print(name, out.loss.item(), len(case), "tensors,", len(changed), "merged")
