#!/usr/bin/env bash
# safetensors 0.8.0: `safetensors.numpy.save` writes the memory of a transposed array under its new shape.
# Expected: the values of the array, as 0.7.0 writes them, or an error like the one `safetensors.torch` raises.
# Seen: transposed, Fortran-ordered and sliced arrays are read back with other values. There is no warning.
#   (safetensors issue 825. The docstring asks for "contiguous" tensors; a Fortran-ordered array reports that it
#   is.)
# Why it matters: weights are transposed all the time on their way between frameworks (ONNX, TensorFlow, the
#   Conv1D of GPT-2). The file is valid, its shapes and types are right, and the model is noise. Call
#   `np.ascontiguousarray` first.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile numpy==2.2.6
for version in 0.7.0 0.8.0; do
  "$dir/venv/bin/pip" install -q --no-compile --no-deps --target "$dir/$version" safetensors==$version
done
cat > "$dir/finding.py" <<'PY'
import numpy as np
import safetensors
from safetensors.numpy import load, save

x = np.arange(6, dtype=np.float32).reshape(2, 3)
print("safetensors", safetensors.__version__)
right = []
for name, array in {"x": x, "x.T": x.T, "asfortranarray(x)": np.asfortranarray(x), "x[:, 1]": x[:, 1]}.items():
    back = load(save({"a": array}))["a"]
    right.append(np.array_equal(array, back))
    print(f"{name}: {array.tolist()} is read back as {back.tolist()}")
if safetensors.__version__ == "0.7.0":
    assert all(right), "changed: 0.7.0"
else:
    assert right == [True, False, False, False], "changed: 0.8.0"
    print("Expected: what was saved, as with 0.7.0")
    print("Seen:     other values for all but the first array")
PY
for version in 0.7.0 0.8.0; do
  PYTHONPATH="$dir/$version" "$dir/venv/bin/python" "$dir/finding.py"
done
