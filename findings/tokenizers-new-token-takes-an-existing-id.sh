#!/usr/bin/env bash
# tokenizers 0.23.3: `add_tokens` can give a new token the id of an old one.
# Expected: ids that nobody has, above the largest one.
# Seen: the first new id is the number of entries. If the vocabulary has a hole (ids 0, 1, 3, 4), the new token
#   gets id 4, which belongs to another token. `encode` then returns 4 for both, `id_to_token(4)` knows only the
#   new one, and the hole at 2 stays.
# Why it matters: vocabularies with holes come from pruning, from merged or hand-edited files, and from tokens
#   added with ids of their own. Two tokens share one row of the embedding, and generated text shows the wrong
#   one.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile tokenizers==0.23.3
"$dir/venv/bin/python" - <<'PY'
import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers

vocabulary = {"[UNK]": 0, "red": 1, "green": 3, "blue": 4}
tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
print("tokenizers", tokenizers.__version__, vocabulary)
print("blue before:", tokenizer.encode("blue").ids, tokenizer.id_to_token(4))
print("tokens added:", tokenizer.add_tokens(["pink"]))
ids = tokenizer.encode("blue pink").ids
print("blue and pink after:", ids, "; token 4 is", tokenizer.id_to_token(4), "; vocabulary:", tokenizer.get_vocab())
assert ids == [4, 4], "changed: the ids differ"
assert tokenizer.id_to_token(4) == "pink" and tokenizer.id_to_token(2) is None, "changed: token 4"
print("Expected: pink gets an id of its own, such as 5")
print("Seen:     pink is 4, as blue is")
PY
