#!/usr/bin/env bash
# tokenizers 0.23.3: the id of an added token is the number of tokens so far, whatever tokenizer.json says.
# Expected: the `id` that `added_tokens` in tokenizer.json gives, and for `add_tokens` an unused id.
# Seen: a file that gives a token the id 9 after ids 0 to 3 loads it as 4. If the vocabulary has a hole (0, 1, 3,
#   4), the new token gets 4, which belongs to another token: both are encoded as 4, and decoding knows only the
#   new one. No exception, no Python warning.
# Why it matters: holes come from pruned, padded, merged or hand-edited vocabularies. The model gets the
#   embedding of another token, and a reader that goes by the file (as llama.cpp or a Java one does) gets other
#   ids from the same file.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile tokenizers==0.23.3
"$dir/venv/bin/python" - <<'PY'
import json

import tokenizers
from tokenizers import Tokenizer

print("tokenizers", tokenizers.__version__)


def load(vocabulary, *added):
    return Tokenizer.from_str(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "post_processor": None,
        "decoder": None, "pre_tokenizer": {"type": "WhitespaceSplit"},
        "added_tokens": [{"id": id, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for token, id in added],
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}}))


dense, holed = {"[UNK]": 0, "red": 1, "green": 2, "blue": 3}, {"[UNK]": 0, "red": 1, "green": 3, "blue": 4}
ids = load(dense, ("pink", 9)).encode("blue pink").ids
print(f"file with {dense} and the added token pink 9: blue and pink are {ids}")
assert ids == [3, 4], "changed: the file's id"
tokenizer = load(holed, ("pink", 5))
ids = tokenizer.encode("blue pink").ids
print(f"file with {holed} and the added token pink 5: blue and pink are {ids}, 4 is {tokenizer.id_to_token(4)}")
assert ids == [4, 4] and tokenizer.id_to_token(4) == "pink", "changed: a hole in a file"
tokenizer = load(holed)
tokenizer.add_tokens(["pink"])
ids = tokenizer.encode("blue pink").ids
print(f"{holed} and add_tokens: blue and pink are {ids}")
assert ids == [4, 4], "changed: a hole and add_tokens"
print("Expected: 3 and 9; 4 and 5; 4 and an id that is free")
print("Seen:     3 and 4; 4 and 4; 4 and 4")
PY
