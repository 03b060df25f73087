#!/usr/bin/env bash
# PyTorch 2.15.0: with class weights, cross entropy of classes and of the same classes as one-hot rows are different losses.
# Expected: a one-hot row is the distribution that has its class for certain, so that both forms of the targets have one loss, as they do
#   without weights.
# Seen: the mean over classes divides by the sum of the rows' weights, that over distributions by the number of rows: 0.68 and 3.65 for
#   the same logits. Both formulas are in the documentation; nothing in the call tells which of them applies.
# Why it matters: labels become distributions by mixup, by soft labels or by distillation, and the gradient, thus the learning rate, is
#   suddenly larger by the mean weight, here 5.3 times; weights that are multiplied by ten change one of the losses and not the other.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 numpy
"$dir/venv/bin/python" - <<'PY'
import torch
import torch.nn.functional as F

print("PyTorch", torch.__version__)
logits = torch.tensor([[2.0, 0, 0], [0, 1.0, 0], [0, 0, 0.5]])
classes, weight = torch.tensor([0, 1, 2]), torch.tensor([1.0, 5, 10])
rows = F.one_hot(classes).float()


def losses(weight):
    return [round(F.cross_entropy(logits, targets, weight=weight).item(), 4) for targets in (classes, rows)]


plain, weighted, tenfold = losses(None), losses(weight), losses(10 * weight)
print("without weights:", plain)
print("Expected: one loss with weights 1, 5, 10, whatever the form of the targets")
print("Seen:    ", weighted, "and with weights 10, 50, 100", tenfold)
assert plain[0] == plain[1]
assert weighted == [0.6838, 3.6468], "changed"
assert tenfold[0] == weighted[0] and abs(tenfold[1] - 10 * weighted[1]) < 1e-3, "changed"
PY
