#!/usr/bin/env bash
# llama.cpp b11549 (xllamacpp 2026.10.11549): a GGUF file loads or not by what its general.name says.
# Expected: general.name is for people; two files that differ in nothing else load alike.
# Seen: with "phi3" or "phi-3" in the name the loader looks for the tokens <|endoftext|>, <unk>, <s> and </s> in the
#   vocabulary, whatever the architecture, and gives the file up ("failed to load model") if one is missing.
# Why it matters: who calls a fine-tuned or made-up model phi3-something, with a tokenizer of its own, gets a file that
#   converters, gguf-dump and other readers find in order. The message does not say why. A space in the name, "phi 3",
#   is enough.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile gguf==0.19.0 numpy xllamacpp==2026.10.11549
cat >"$dir/load.py" <<'PY'
import importlib.metadata
import os
import sys

import gguf
import numpy as np
import xllamacpp

WORDS, SIZE = 260, 32
file, name = sys.argv[1:]
random = np.random.default_rng(1)


def matrix(*shape):
    return (random.standard_normal(shape) * 0.1).astype(np.float32)


out = gguf.GGUFWriter(file, "llama")
out.add_name(name)
out.add_context_length(32)
out.add_embedding_length(SIZE)
out.add_block_count(1)
out.add_feed_forward_length(SIZE)
out.add_head_count(2)
out.add_head_count_kv(2)
out.add_layer_norm_rms_eps(1e-5)
out.add_vocab_size(WORDS)
out.add_tokenizer_model("llama")
out.add_token_list(["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + ["\u2581a"])
out.add_token_scores([0.0] * WORDS)
out.add_token_types([2, 3, 3] + [6] * 256 + [1])
out.add_bos_token_id(1)
out.add_eos_token_id(2)
out.add_unk_token_id(0)
for tensor in ("token_embd", "output"):
    out.add_tensor(tensor + ".weight", matrix(WORDS, SIZE))
for tensor in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
    out.add_tensor(f"blk.0.{tensor}.weight", matrix(SIZE, SIZE))
for tensor in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
    out.add_tensor(tensor + ".weight", np.ones(SIZE, np.float32))
out.write_header_to_file()
out.write_kv_data_to_file()
out.write_tensors_to_file()
out.close()

params = xllamacpp.CommonParams()
params.model.path = file
params.n_ctx, params.n_parallel, params.warmup, params.n_gpu_layers, params.verbosity = 32, 1, False, 0, 0
try:
    server = xllamacpp.Server(params)  # kept until the process ends
    seen = "loads"
except RuntimeError as error:
    seen = f"RuntimeError: {error}"
print(f'xllamacpp {importlib.metadata.version("xllamacpp")}, general.name "{name}": {seen}', flush=True)
os._exit(0 if seen == "loads" else 1)
PY
"$dir/venv/bin/python" "$dir/load.py" "$dir/stories.gguf" "small stories"
if "$dir/venv/bin/python" "$dir/load.py" "$dir/phi3.gguf" "phi3 small stories"; then
  echo "changed: the name no longer matters"
  exit 1
fi
"$dir/venv/bin/python" "$dir/load.py" "$dir/phi.gguf" "phi 3 small stories"
echo 'Expected: all three load'
echo 'Seen:     the one with "phi3" in its name does not'
