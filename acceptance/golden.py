"""Makes the golden folder of a decoder family: a small model of transformers with random weights, and what it computes.
Made with PyTorch 2.15.0 and transformers 5.24.0.
Usage: [SEED=7] python golden.py FOLDER CLASS [FIELD=VALUE ...], such as
    python golden.py tokentune-samediff/src/test/resources/golden/stablelm StableLmForCausalLM use_qkv_bias=True
Fields are those of the class's configuration; SIZES are the defaults. lm-tokentune.safetensors has a step in which only
selected tokens have gradients: after every module, the rows of the others are detached. generate.safetensors has greedy
ids.
    python golden.py fields FILE CLASS
adds all fields of the class's configuration to FILE, which is transformers-config-fields.json.
"""
import ast
import dataclasses
import json
import os
import sys

import torch
import transformers
from safetensors.torch import save_file

SEED = int(os.environ.get("SEED", "7"))
SIZES = dict(vocab_size=61, hidden_size=48, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=1,
             max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2)
LENGTHS, SELECTED, PROMPT = (27, 17, 9, 5), 8, 3


def record(file, name):
    config = getattr(transformers, name).config_class()
    names = set(config.to_dict()) | {field.name for field in dataclasses.fields(config)} | set(config.attribute_map)
    with open(file) as old:
        recorded = json.load(old)
    recorded[transformers.__version__][config.model_type] = sorted(one for one in names if not one.startswith("_") or one == "_name_or_path")
    with open(file, "w") as new:
        json.dump(recorded, new, indent=1)
        new.write("\n")


def batch(vocabulary):
    length = max(LENGTHS)
    mask = (torch.arange(length)[None] < torch.tensor(LENGTHS)[:, None]).long()
    ids = torch.randint(5, vocabulary, mask.shape) * mask
    labels = torch.where(mask.bool(), ids, -100)
    labels[:, :PROMPT] = -100
    selected = []
    for n in LENGTHS:
        row = torch.randperm(n)[:SELECTED].tolist()
        selected.append(sorted(row + list(range(n, n + SELECTED - len(row)))))  # then padding
    return dict(input_ids=ids, attention_mask=mask, labels=labels), torch.tensor(selected)


def detach(model, chosen):
    def rows(x):
        if torch.is_tensor(x) and x.is_floating_point() and x.shape[:2] == chosen.shape:
            return torch.where(chosen.view(*chosen.shape, *[1] * (x.dim() - 2)), x, x.detach())
        return x

    for name, module in model.named_modules():
        if name:
            module.register_forward_hook(lambda _, __, out: tuple(map(rows, out)) if isinstance(out, tuple) else rows(out))


def main(folder, name, *changes):
    values = dict(change.split("=", 1) for change in changes)
    kind = getattr(transformers, name)
    config = kind.config_class(attn_implementation="eager", **(SIZES | {field: ast.literal_eval(value) for field, value in values.items()}))
    torch.manual_seed(SEED)
    model = kind(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # so that norms and biases are not ones and zeros
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_pretrained(folder)
    if os.path.exists(f"{folder}/generation_config.json"):
        os.remove(f"{folder}/generation_config.json")
    prompt = torch.randint(5, config.vocab_size, (1, 5))
    generated = model.generate(prompt, max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None)
    save_file(dict(input_ids=prompt, generated=generated), f"{folder}/generate.safetensors")
    inputs, selected = batch(config.vocab_size)
    chosen = torch.zeros_like(inputs["attention_mask"]).scatter_(1, selected, 1).bool()
    detach(model, chosen)
    out = model(**inputs, output_hidden_states=True)
    target = torch.full_like(inputs["labels"], -100)
    target[:, :-1] = inputs["labels"][:, 1:]
    target[~chosen] = -100
    loss = torch.nn.functional.cross_entropy(out.logits.flatten(0, 1), target.flatten())
    loss.backward()
    case = dict(inputs, selected=selected, logits=out.logits, loss=loss)
    case |= {f"hidden.{i}": hidden for i, hidden in enumerate(out.hidden_states)}
    case |= {f"grad.{key}": parameter.grad for key, parameter in model.named_parameters()}
    save_file({key: x.detach().clone().contiguous() for key, x in case.items()}, f"{folder}/lm-tokentune.safetensors")
    print(folder, f"loss {loss:.6f}, {len(case)} tensors")


if __name__ == "__main__":
    if sys.argv[1] == "fields":
        record(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
