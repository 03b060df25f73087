#!/usr/bin/env bash
# llama.cpp b11549 (xllamacpp 2026.10.11549), on the CPU: a GPT-2 whose numbers are all 32-bit floats does not compute in them.
# Expected: weights, cache and activations in float32, flash attention off, one thread: log probabilities within about 1e-5 of float64's.
# Seen: off by more than 1e-4 as soon as gelu has arguments away from 0; with gelu's argument and result rounded to 16-bit floats
#   they are equal to 1e-5: gelu is looked up in a table of 65,536 results. No setting turns that off.
# Why it matters: GPT-2, Gemma and other models with this gelu compare 100 times worse than models with silu, and who looks for a fault in
#   an exported file by comparing numbers finds one that is not there.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile gguf==0.19.0 numpy xllamacpp==2026.10.11549
cat >"$dir/compare.py" <<'PY'
import importlib.metadata
import os
import sys

import gguf
import numpy as np
import xllamacpp

WORDS, SIZE, INNER, TOKEN, EPSILON = 260, 32, 128, 259, 1e-5
file = sys.argv[1]
random = np.random.default_rng(1)


def matrix(*shape, scale=0.3):
    return (random.standard_normal(shape) * scale).astype(np.float32)


p = {"token_embd.weight": matrix(WORDS, SIZE), "position_embd.weight": matrix(32, SIZE), "output.weight": matrix(WORDS, SIZE)}
for name, rows, columns in (("attn_qkv", 3 * SIZE, SIZE), ("attn_output", SIZE, SIZE), ("ffn_up", INNER, SIZE), ("ffn_down", SIZE, INNER)):
    p[f"blk.0.{name}.weight"], p[f"blk.0.{name}.bias"] = matrix(rows, columns), matrix(rows)
for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
    p[name + ".weight"], p[name + ".bias"] = 1 + matrix(SIZE), matrix(SIZE)

out = gguf.GGUFWriter(file, "gpt2")
out.add_name("small")
out.add_context_length(32)
out.add_embedding_length(SIZE)
out.add_block_count(1)
out.add_feed_forward_length(INNER)
out.add_head_count(2)
out.add_layer_norm_eps(EPSILON)
out.add_tokenizer_model("llama")
out.add_token_list(["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + ["\u2581a"])
out.add_token_scores([0.0] * WORDS)
out.add_token_types([2, 3, 3] + [6] * 256 + [1])
out.add_bos_token_id(1)
out.add_eos_token_id(2)
out.add_unk_token_id(0)
for name, values in p.items():
    out.add_tensor(name, values)
out.write_header_to_file()
out.write_kv_data_to_file()
out.write_tensors_to_file()
out.close()

w = {name: values.astype(np.float64) for name, values in p.items()}


def linear(x, name):
    return w[f"blk.0.{name}.weight"] @ x + w[f"blk.0.{name}.bias"]


def norm(x, name):
    return (x - x.mean()) / np.sqrt(x.var() + EPSILON) * w[name + ".weight"] + w[name + ".bias"]


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def in_sixteen_bits(x):
    return gelu(x.astype(np.float16).astype(np.float64)).astype(np.float16).astype(np.float64)


def log_probabilities(activation):
    x = w["token_embd.weight"][TOKEN] + w["position_embd.weight"][0]
    x = x + linear(linear(norm(x, "blk.0.attn_norm"), "attn_qkv")[2 * SIZE:], "attn_output")  # of one token, attention is its value
    x = x + linear(activation(linear(norm(x, "blk.0.ffn_norm"), "ffn_up")), "ffn_down")
    logits = w["output.weight"] @ norm(x, "output_norm")
    return logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())


params = xllamacpp.CommonParams()
params.model.path = file
params.n_ctx, params.n_parallel, params.warmup, params.n_gpu_layers, params.verbosity = 32, 1, False, 0, 0
params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)  # kept until the process ends
made = server.handle_completions(dict(prompt=[TOKEN], n_predict=1, temperature=0, n_probs=WORDS))
assert made["usage"]["prompt_tokens"] == 1, made["usage"]
seen = {one["id"]: one["logprob"] for one in made["choices"][0]["logprobs"]["content"][0]["top_logprobs"]}


def off(expected):
    return max(abs(expected[i] - value) for i, value in seen.items())


exact, rounded = off(log_probabilities(gelu)), off(log_probabilities(in_sixteen_bits))
print(f'xllamacpp {importlib.metadata.version("xllamacpp")}, {len(seen)} log probabilities')
print("Expected: within 1e-5 of float64")
print(f"Seen:     off by {exact:.1e}; by {rounded:.1e} from gelu of 16-bit floats in 16-bit floats", flush=True)
os._exit(0 if exact > 1e-4 and rounded < exact / 5 else 1)
PY
"$dir/venv/bin/python" "$dir/compare.py" "$dir/gpt2.gguf" || { echo "changed: gelu is computed otherwise"; exit 1; }
