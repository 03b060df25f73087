#!/usr/bin/env bash
# transformers 5.24.0: a configuration that has both `rope_parameters` and the older `rope_scaling`, which say
# the same of the scaling, loses its rope_theta: `rope_scaling` takes the whole place of `rope_parameters`, and as
# it has no theta, the default 10000 counts. Nothing is logged. Files have both where a tool adds the old key for
# older readers. Seen with LlamaConfig; expected was 500000, the only theta that the file names.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q transformers==5.24.0
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
print("As described: theta falls from 500000 to 10000.")
PY
