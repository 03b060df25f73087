#!/usr/bin/env bash
# transformers 5.24.0: Phi-3's configuration renames the rope type "su" to "longrope", but only after the check that
# needs the new name.
# Expected: a configuration of the first Phi-3 files, with `"rope_scaling": {"type": "su", ...}` and
#   `original_max_position_embeddings` beside it, is read like the same with "longrope", as the class means to.
# Seen: a KeyError about a missing `original_max_position_embeddings`, which is there. With "longrope" or "yarn" in place of
#   "su" it is read; with "su" only if the number is repeated inside `rope_scaling`.
# Why it matters: models fine-tuned from those files in 2024 carry this configuration, and cannot be opened.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile transformers==5.24.0
"$dir/venv/bin/python" - <<'PY'
import transformers
from transformers import Phi3Config

transformers.logging.set_verbosity_error()


def read(name, **inside):
    factors = [1.0] * 48
    scaling = {"type": name, "short_factor": factors, "long_factor": factors, **inside}
    try:
        config = Phi3Config(
            max_position_embeddings=131072, original_max_position_embeddings=4096, rope_scaling=scaling)
        return config.rope_parameters["rope_type"]
    except KeyError as error:
        return "KeyError: " + error.args[0]


print("transformers", transformers.__version__)
results = {name: read(name) for name in ("longrope", "yarn", "su")}
repeated = read("su", original_max_position_embeddings=4096)
for name, result in results.items():
    print(f"{name}: {result}")
print("su, with the number repeated:", repeated)
assert results["longrope"] == results["yarn"] == repeated == "longrope", "changed: the other names"
assert results["su"].startswith("KeyError"), "changed: su is read"
print("Expected: longrope for all of them")
print("Seen:     a KeyError for su")
PY
