#!/usr/bin/env bash
# transformers 5.24.0: `AutoTokenizer` replaces parts of a tokenizer.json by those of its Python class.
# Expected: the tokenizer that the file describes, as `tokenizers` and every other reader of the format (Java,
#   Rust, JavaScript) has it, and as the class PreTrainedTokenizerFast has it for the same file.
# Seen: with tokenizer_class BertTokenizer, the normalizer, pre-tokenizer and template of the file give way to
#   those of the class: a cased file without `do_lower_case` in tokenizer_config.json is lowercased.
#   GPT2Tokenizer replaces the pre-tokenizer.
# Why it matters: two readers of one folder get different ids. Models trained with a changed tokenizer are fed
#   something else in Python than in production, and nothing is logged.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile transformers==5.24.0 tokenizers==0.23.3
"$dir/venv/bin/python" - <<'PY'
import json
import tempfile

import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer

transformers.logging.set_verbosity_error()
print("transformers", transformers.__version__)


def compare(tokenizer, kind, model_type, text):
    folder = tempfile.mkdtemp()
    tokenizer.save(folder + "/tokenizer.json")
    seen = {}
    for name in (kind, "PreTrainedTokenizerFast"):
        with open(folder + "/tokenizer_config.json", "w") as file:
            json.dump({"tokenizer_class": name, "unk_token": "[UNK]"}, file)
        with open(folder + "/config.json", "w") as file:
            json.dump({"model_type": model_type}, file)
        loaded = AutoTokenizer.from_pretrained(folder)
        seen[name] = loaded.convert_ids_to_tokens(loaded(text).input_ids)
    file = tokenizer.encode(text).tokens
    print(f"{text!r} by the file: {file}, by PreTrainedTokenizerFast: {seen['PreTrainedTokenizerFast']}")
    print(f"    by {kind}: {seen[kind]}")
    assert seen["PreTrainedTokenizerFast"] == file, "changed: PreTrainedTokenizerFast"
    return seen[kind]


words = "[PAD] [UNK] [CLS] [SEP] [MASK] Paris paris X-1 x - 1".split()
bert = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
bert.normalizer = normalizers.BertNormalizer(lowercase=False)
bert.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
bert.post_processor = processors.TemplateProcessing(single="$A [SEP]", special_tokens=[("[SEP]", 3)])
bert.decoder = decoders.WordPiece()
seen = compare(bert, "BertTokenizer", "bert", "Paris X-1")
assert seen == "[CLS] paris x - 1 [SEP]".split(), f"changed: {seen}"
gpt2 = Tokenizer(models.BPE(vocab={"[UNK]": 0, "1": 1, "2": 2, "12": 3}, merges=[("1", "2")]))
gpt2.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                              pre_tokenizers.ByteLevel(add_prefix_space=False)])
gpt2.decoder = decoders.ByteLevel()
seen = compare(gpt2, "GPT2Tokenizer", "gpt2", "12")
assert seen == ["12"], f"changed: {seen}"
print("Expected: the tokens by the file")
print("Seen:     other tokens from the two named classes")
PY
