#!/usr/bin/env bash
# PyTorch 2.15.0: ReduceLROnPlateau with its default relative threshold takes a rising loss for an improvement if the
# loss is negative.
# Expected: a loss that rises by a small amount every epoch is no improvement, and the learning rate is reduced after
#   `patience` epochs, as it is for the same loss with 3 added.
# Seen: with a loss of -1, "better" means below -1 * (1 - 0.0001) = -0.9999: slightly worse counts as better and becomes
#   the new best. In 20 epochs of a loss that rises each time the rate is never reduced.
# Why it matters: log-likelihoods of densities, contrastive and ELBO objectives are negative; the schedule then never
#   acts, whatever the patience.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 numpy
"$dir/venv/bin/python" - <<'PY'
import torch


def rate_after(offset):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=2)
    for epoch in range(20):
        schedule.step(offset - 1 + 0.00005 * epoch)
    return optimizer.param_groups[0]["lr"]


negative, positive = rate_after(0), rate_after(3)
print("PyTorch", torch.__version__, "- learning rate after 20 epochs of a rising loss")
print("from -1 on:", negative)
print("from  2 on:", positive)
assert negative == 1.0, "changed: a negative loss"
assert positive < 1e-3, "changed: a positive loss"
print("Expected: reduced in both")
print("Seen:     never reduced where the loss is negative")
PY
