#!/usr/bin/env bash
# gguf 0.19.0: Q8_0 rounds small numbers to zero that Q4_0 still represents.
# Expected: more bits, less error: Q8_0 is at least as exact as Q4_0 for the same block of 32 numbers.
# Seen: the scale of a block is a 16-bit float, the largest number / 127 for Q8_0 and / 8 for Q4_0. Below 3.8e-6
#   the scale of Q8_0 is rounded to 0 and the block with it; Q4_0 and Q5_0 hold out for another factor of 8 to
#   16.
# Why it matters: rows that are hardly trained (rare tokens, low-rank updates merged and stored on their own,
#   pruned layers) vanish in the format that is chosen as the safe one. Rescaling them, or F32 for small tensors,
#   avoids it.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile gguf==0.19.0
"$dir/venv/bin/python" - <<'PY'
import importlib.metadata

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize

print("gguf", importlib.metadata.version("gguf"))
uniform = np.random.default_rng(0).uniform(-1, 1, (1000, 32)).astype(np.float32)
for largest in (1.0, 1e-4, 2e-6):
    errors = {}
    for type in (Type.Q8_0, Type.Q5_0, Type.Q4_0):
        x = uniform * np.float32(largest)
        errors[type.name] = float(np.abs(dequantize(quantize(x, type), type) - x).mean() / np.abs(x).mean())
    print(f"numbers up to {largest}: mean error over mean size", {k: round(v, 4) for k, v in errors.items()})
    if largest == 1.0:
        assert errors["Q8_0"] < errors["Q5_0"] < errors["Q4_0"] < 0.1, "changed: ordinary numbers"
assert errors["Q8_0"] == 1 and errors["Q4_0"] < 0.1, f"changed: {errors}"
print("Expected: Q8_0 is the most exact each time")
print("Seen:     at 2e-6 Q8_0 gives zeros, Q4_0 is 7% off")
PY
