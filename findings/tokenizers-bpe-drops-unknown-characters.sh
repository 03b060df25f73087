#!/usr/bin/env bash
# tokenizers 0.23.3: a BPE model without `unk_token` deletes characters that are not in its vocabulary.
# Expected: the error that WordPiece, WordLevel and Unigram raise in the same situation.
# Seen: the characters are silently missing from the result: "9 + 1" and "9 1" become the same tokens.
# Why it matters: byte-level vocabularies cover everything, but a BPE trained on characters does not (music,
#   chemistry, DNA, code in a small alphabet), and `unk_token` is None by default. The model sees another text
#   than the user wrote.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile tokenizers==0.23.3
"$dir/venv/bin/python" - <<'PY'
import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers

vocabulary = {"9": 0, "1": 1}
print("tokenizers", tokenizers.__version__, vocabulary)
for name, model in {
    "BPE": models.BPE(vocab=vocabulary, merges=[]),
    "WordPiece": models.WordPiece(vocabulary),
    "WordLevel": models.WordLevel(vocabulary),
    "Unigram": models.Unigram([("9", -1.0), ("1", -1.0)]),
}.items():
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    try:
        seen = tokenizer.encode("9 + 1").tokens
    except Exception as error:
        seen = f"error: {error}"
    print(f"{name}: {seen}")
    assert (seen == ["9", "1"]) if name == "BPE" else str(seen).startswith("error"), f"changed: {name}"
print("Expected: an error from all four, or a token for +")
print("Seen:     BPE drops the +")
PY
