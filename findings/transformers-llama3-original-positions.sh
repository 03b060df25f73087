#!/usr/bin/env bash
# transformers 5.24.0: `original_max_position_embeddings` at the top of a Llama's configuration, a key that LlamaConfig
# does not have, overrides the one within `rope_parameters`, but only once the rotary frequencies are computed:
# right after the configuration is made its rope_parameters still say the other number, and computing the
# frequencies changes the configuration. Expected was the nested value, which is the documented place.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q transformers==5.24.0 torch==2.15.0
"$dir/venv/bin/python" - <<'PY'
import transformers
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

transformers.logging.set_verbosity_error()
sizes = dict(hidden_size=64, num_attention_heads=4, max_position_embeddings=8192)
rope = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 4096}
key = "original_max_position_embeddings"
plain = LlamaConfig(**sizes, rope_parameters=dict(rope))
beside = LlamaConfig(**sizes, rope_parameters=dict(rope), original_max_position_embeddings=1024)
print("transformers", transformers.__version__)
print("after the configuration is made: ", beside.rope_parameters[key])
a = ROPE_INIT_FUNCTIONS["llama3"](plain, "cpu")[0]
b = ROPE_INIT_FUNCTIONS["llama3"](beside, "cpu")[0]
print("after frequencies were computed: ", beside.rope_parameters[key])
print("frequency 3 of 8 without the key:", a[3].item())
print("frequency 3 of 8 with the key:   ", b[3].item())
assert plain.rope_parameters[key] == 4096
assert beside.rope_parameters[key] == 1024, "changed: the top-level key does not win any more"
assert a[3] > 5 * b[3], "changed: the frequencies agree"
print("As described: 4096 became 1024, and one frequency is a sixth of what it was.")
PY
