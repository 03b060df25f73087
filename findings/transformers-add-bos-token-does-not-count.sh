#!/usr/bin/env bash
# transformers 5.24.0: `add_bos_token` says nothing about whether a BOS token is added.
# Expected: true in tokenizer_config.json adds BOS, false does not, and the attribute tells which it is.
# Seen: next to a tokenizer.json the key is ignored: the template in that file decides, and the attribute is
#   False either way. Assigning it its own value (`t.add_bos_token = t.add_bos_token`) then rebuilds the template
#   and takes BOS away.
# Why it matters: Llama and Mistral models answer much worse without the BOS they were trained with. A file that
#   asks for it is not obeyed, and code that reads the attribute in order to decide, or to restore it, is wrong.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile transformers==5.24.0 tokenizers==0.23.3
"$dir/venv/bin/python" - <<'PY'
import json
import tempfile

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer

transformers.logging.set_verbosity_error()
print("transformers", transformers.__version__)


def load(template, flag):
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2, "\u2581": 3, "a": 4, "\u2581a": 5}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[("\u2581", "a")], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    if template:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    folder = tempfile.mkdtemp()
    tokenizer.save(folder + "/tokenizer.json")
    with open(folder + "/tokenizer_config.json", "w") as file:
        json.dump({"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>",
                   "unk_token": "<unk>", "add_bos_token": flag}, file)
    with open(folder + "/config.json", "w") as file:
        json.dump({"model_type": "llama"}, file)
    return AutoTokenizer.from_pretrained(folder)


for template in (False, True):
    for flag in (False, True):
        t = load(template, flag)
        ids = t("a").input_ids
        print(f"template with BOS: {template}, add_bos_token: {flag}; attribute {t.add_bos_token}, ids {ids}")
        assert ids == ([1, 5] if template else [5]) and t.add_bos_token is False, "changed: the key or the attribute"
t = load(True, True)
t.add_bos_token = t.add_bos_token
print("after t.add_bos_token = t.add_bos_token:", t("a").input_ids)
assert t("a").input_ids == [5], "changed: assignment"
print("Expected: BOS (1) exactly where the file says true, and the attribute tells")
print("Seen:     BOS by the template alone, the attribute is always False, and assigning it removes BOS")
PY
