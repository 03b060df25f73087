"""Prints the test resource schedules.json: the learning rates of transformers 5.24.0's schedules, and of PyTorch 2.15.0's where
transformers has none, at each of 20 steps. Usage: python schedules.py"""
import json

import torch
from torch.optim.lr_scheduler import LinearLR, ReduceLROnPlateau, SequentialLR, StepLR
from transformers import get_scheduler

PEAK, STEPS, WARMUP = 1e-3, 20, 4
LOSSES = [1.0, 0.9, 0.95, 0.91, 0.89995, 0.9, 0.8, 0.8, 0.81, 0.82, 0.83, 0.84, 0.7, 0.71, 0.72, 0.73, 0.74, 0.75, 0.76, 0.77]


def rates(make, loss=None):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    schedule = make(optimizer)
    used = []
    for step in range(STEPS):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step(*([loss[step]] if loss else []))
    return used


def named(name, warmup=WARMUP, **settings):
    return rates(lambda o: get_scheduler(name, o, warmup, STEPS, scheduler_specific_kwargs=settings))


def plateau(mode="min", scores=LOSSES, **settings):
    return rates(lambda o: ReduceLROnPlateau(o, mode=mode, **settings), scores)


print(json.dumps({
    "linear": named("linear"),
    "cosine": named("cosine"),
    "cosine_with_restarts": named("cosine_with_restarts", num_cycles=3),
    "polynomial": named("polynomial", power=2.0, lr_end=1e-5),
    "inverse_sqrt": named("inverse_sqrt"),
    "inverse_sqrt without warmup": named("inverse_sqrt", warmup=0),
    "step": rates(lambda o: StepLR(o, step_size=3, gamma=0.5)),
    "plateau": plateau(factor=0.5, patience=1, threshold=1e-3, cooldown=1, min_lr=1e-4),
    "plateau, defaults": plateau(patience=2),
    "plateau of a score": plateau("max", [1 - loss / 2 for loss in LOSSES], factor=0.5, patience=1),
}, indent=1))
