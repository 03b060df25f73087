"""Runs ten steps of PyTorch 2.15.0's and transformers 5.24.0's optimizers on the gradients in golden/optimizer/adamw.safetensors, and
prints the test resource optimizers.json. Usage: python optimizers.py adamw.safetensors"""
import json
import sys

import torch
from safetensors.torch import load_file
from transformers.optimization import Adafactor

data = load_file(sys.argv[1])


def steps(make):
    parameters = {name: torch.nn.Parameter(data[name + ".0"].clone()) for name in ("w", "b")}
    optimizer = make(list(parameters.values()))
    for step in range(1, 11):
        for name, parameter in parameters.items():
            parameter.grad = data[name + ".grad." + str(step)].clone()
        optimizer.param_groups[0]["lr"] = data["learning_rate"][step - 1].item()
        optimizer.step()
    return {name: parameter.detach().flatten().tolist() for name, parameter in parameters.items()}


print(json.dumps({
    "sgd": steps(lambda p: torch.optim.SGD(p, lr=1.0, weight_decay=0.01)),
    "sgd-momentum": steps(lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9, weight_decay=0.01)),
    "sgd-nesterov": steps(lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9, nesterov=True, weight_decay=0.01)),
    "adafactor": steps(lambda p: Adafactor(p, lr=1.0, relative_step=False, scale_parameter=False, weight_decay=0.01)),
    "adafactor-decay-rate": steps(lambda p: Adafactor(p, lr=1.0, relative_step=False, scale_parameter=False, decay_rate=-0.5, weight_decay=0.01)),
    "adamw-betas-epsilon": steps(lambda p: torch.optim.AdamW(p, lr=1.0, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.01)),
}, indent=1))
