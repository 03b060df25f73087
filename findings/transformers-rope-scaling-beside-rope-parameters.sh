#!/usr/bin/env bash
# transformers 5.24.0: a Llama configuration with both `rope_parameters` and the older `rope_scaling` silently
# loses its rope_theta.
# Expected: 500000, the only theta in the file; both keys agree about the scaling.
# Seen: `rope_scaling` replaces the whole of `rope_parameters`, and as it has no theta, the default of 10000
#   applies. Nothing is logged.
# Why it matters: files have both keys where a tool adds the old one for older readers. Every position is then
#   rotated by wrong angles, and long texts degrade first.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile transformers==5.24.0
"$dir/venv/bin/python" - <<'PY'
import transformers
from transformers import LlamaConfig

transformers.logging.set_verbosity_error()
new = {"rope_type": "linear", "factor": 2.0, "rope_theta": 500000.0}
old = {"type": "linear", "factor": 2.0}
alone = LlamaConfig(rope_parameters=dict(new)).rope_parameters
both = LlamaConfig(rope_parameters=dict(new), rope_scaling=dict(old)).rope_parameters
print("transformers", transformers.__version__)
print("rope_parameters alone:           ", alone)
print("with rope_scaling that agrees:   ", both)
assert alone["rope_theta"] == 500000.0, "changed: rope_parameters alone"
assert both["rope_theta"] == 10000.0, "changed: theta is no longer lost"
print("Expected: rope_theta 500000")
print("Seen:     rope_theta 10000")
PY
