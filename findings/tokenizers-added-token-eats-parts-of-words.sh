#!/usr/bin/env bash
# tokenizers 0.23.3: a token added to an uncased tokenizer is lowercased and then cut out of the middle of
# words.
# Expected: after `add_tokens(["US"])`, US in the text becomes the new token and everything else stays as it
#   was.
# Seen: every "us" becomes it: the pronoun, the end of "bus", and the middle of "museum", which is now [UNK].
#   The new token is normalized like the text and may match inside words; AddedToken("US", normalized=False,
#   single_word=True) leaves the sentence alone.
# Why it matters: adding domain words (tickers, gene names, abbreviations) before fine-tuning is everyday
#   practice, and it silently spoils ordinary text that the pretrained model knew.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile tokenizers==0.23.3
"$dir/venv/bin/python" - <<'PY'
import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

vocabulary = "[UNK] the museum bus takes us b".split()


def tokens(*added):
    model = models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]")
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_tokens(list(added))
    encoding = tokenizer.encode("The museum bus takes us")
    return list(zip(encoding.tokens, encoding.ids))


print("tokenizers", tokenizers.__version__)
before, after = tokens(), tokens("US")
strict = tokens(AddedToken("US", normalized=False, single_word=True))
print("before:", before)
print("after add_tokens(['US']):", after)
print("with normalized=False, single_word=True:", strict)
assert [t for t, _ in before] == "the museum bus takes us".split() and strict == before, "changed: before"
assert [t for t, _ in after] == "the [UNK] us [UNK] b us takes us".split(), f"changed: {after}"
print("Expected: the same five tokens, as US does not occur in the text")
print("Seen:     museum and bus are cut apart")
PY
