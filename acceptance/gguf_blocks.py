"""Makes tokentune-samediff/src/test/resources/golden/gguf/encoded.safetensors: numbers, and the blocks that others make of
them: gguf 0.19.0 of F16, BF16, Q8_0 and Q5_0, and llama.cpp (in xllamacpp 2026.10.11549) of all.
Usage: python gguf_blocks.py FILE
"""
import ctypes
import sys

import numpy as np
import xllamacpp
from gguf import GGMLQuantizationType as Type, quants
from safetensors.numpy import save_file

WIDTH, BLOCKS = 512, {"Q8_0": (32, 34), "Q5_0": (32, 22), "Q4_K": (256, 144), "Q6_K": (256, 210)}
rng = np.random.default_rng(31)
values = rng.standard_normal((12, WIDTH)).astype(np.float32) * np.float32(0.05)
values[1] *= 1e-4
values[2, :256] = 0
values[3] = np.abs(values[3])
values[4] = -np.abs(values[4])
values[5, ::7] *= 40
values[6] = np.float32(0.25)
values[7] = rng.integers(-8, 8, WIDTH)
values[8, :32] = np.arange(32) / 32
values[9] = rng.standard_cauchy(WIDTH) * 0.01
values[10] = 1e-20
library = ctypes.CDLL(xllamacpp.xllamacpp.__file__)
data = {"values": values}
for name in ("F16", "BF16", "Q8_0", "Q5_0"):
    data["gguf." + name] = np.ascontiguousarray(quants.quantize(values, Type[name])).view(np.uint8).reshape(len(values), -1)
for name, (elements, size) in BLOCKS.items():
    out = np.zeros((len(values), WIDTH // elements * size), np.uint8)
    quantize = getattr(library, f"quantize_row_{name.lower().replace('_k', '_K')}_ref")
    quantize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    quantize(values.ctypes.data, out.ctypes.data, values.size)
    data["llama." + name] = out
save_file(data, sys.argv[1])
for name, array in data.items():
    same = "" if "gguf." + name[6:] not in data or not name.startswith("llama.") else f"; equal to gguf's: {(array == data['gguf.' + name[6:]]).mean():.4f}"
    print(name, array.shape, array.dtype, same)
