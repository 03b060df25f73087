#!/usr/bin/env bash
# llama.cpp b11549 (xllamacpp 2026.10.11549): whether tied embeddings may be stored once depends on the architecture.
# Expected: a GGUF file without output.weight has tied embeddings, and token_embd.weight is the head, as in Llama's and GPT-2's files.
# Seen: a StableLM without output.weight does not load (RuntimeError, "Failed to init server"); with a copy of the table as output.weight it
#   does. transformers' StableLmConfig has tie_word_embeddings as every decoder has it.
# Why it matters: a converter that leaves out the tied head, as it may elsewhere, writes a file that every reader finds in order but the one
#   that it was written for.
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
file, architecture, head = sys.argv[1:]
random = np.random.default_rng(1)


def matrix(*shape):
    return (random.standard_normal(shape) * 0.1).astype(np.float32)


out = gguf.GGUFWriter(file, architecture)
out.add_name("small")
out.add_context_length(32)
out.add_embedding_length(SIZE)
out.add_block_count(1)
out.add_feed_forward_length(SIZE)
out.add_head_count(2)
out.add_head_count_kv(2)
out.add_layer_norm_eps(1e-5)
out.add_layer_norm_rms_eps(1e-5)
out.add_rope_dimension_count(16 if architecture == "llama" else 8)
out.add_parallel_residual(False)
out.add_vocab_size(WORDS)
out.add_tokenizer_model("llama")
out.add_token_list(["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + ["\u2581a"])
out.add_token_scores([0.0] * WORDS)
out.add_token_types([2, 3, 3] + [6] * 256 + [1])
out.add_bos_token_id(1)
out.add_eos_token_id(2)
out.add_unk_token_id(0)
table = matrix(WORDS, SIZE)
out.add_tensor("token_embd.weight", table)
if head == "twice":
    out.add_tensor("output.weight", table.copy())
for tensor in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
    out.add_tensor(f"blk.0.{tensor}.weight", matrix(SIZE, SIZE))
for tensor in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
    out.add_tensor(tensor + ".weight", np.ones(SIZE, np.float32))
    if architecture == "stablelm":
        out.add_tensor(tensor + ".bias", np.zeros(SIZE, np.float32))
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
print(f'xllamacpp {importlib.metadata.version("xllamacpp")}, {architecture}, the table stored {head}: {seen}', flush=True)
os._exit(0 if seen == "loads" else 1)
PY
"$dir/venv/bin/python" "$dir/load.py" "$dir/llama.gguf" llama once
"$dir/venv/bin/python" "$dir/load.py" "$dir/twice.gguf" stablelm twice
if "$dir/venv/bin/python" "$dir/load.py" "$dir/once.gguf" stablelm once; then
  echo "changed: a StableLM's head may be left out"
  exit 1
fi
echo "Expected: all three load"
echo "Seen:     the StableLM without output.weight does not"
