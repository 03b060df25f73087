#!/usr/bin/env bash
# transformers 5.24.0: `DataCollatorForLanguageModeling` takes the real end of a text out of the loss if padding
# uses the same token.
# Expected: only padding is left out of the loss; attention_mask says which tokens are padding, and the collator
#   has it.
# Seen: labels become -100 wherever the id is that of the padding token. With `pad_token = eos_token`, the usual
#   choice for GPT-2, Llama and Mistral, which have no padding token, every end-of-text token is left out, also
#   in a batch without padding.
# Why it matters: the fine-tuned model never learns to stop: it answers well and goes on until the limit of
#   tokens. The loss looks fine.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile transformers==5.24.0 tokenizers==0.23.3
"$dir/venv/bin/python" - <<'PY'
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

transformers.logging.set_verbosity_error()
print("transformers", transformers.__version__)
words = Tokenizer(models.WordLevel({"<unk>": 0, "</s>": 1, "<pad>": 2, "hello": 3, "world": 4}, unk_token="<unk>"))
words.pre_tokenizer = pre_tokenizers.Whitespace()
seen = {}
for pad in ("<pad>", "</s>"):
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", unk_token="<unk>", pad_token=pad)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm=False, return_tensors="np")
    batch = collate([{"input_ids": ids, "attention_mask": [1] * len(ids)} for ids in ([3, 4, 1], [3, 1])])
    seen[pad] = batch["labels"].tolist()
    print(f"padding with {pad}: input_ids {batch['input_ids'].tolist()}, "
          f"attention_mask {batch['attention_mask'].tolist()}, labels {seen[pad]}")
assert seen["<pad>"] == [[3, 4, 1], [3, 1, -100]], "changed: <pad>"
assert seen["</s>"] == [[3, 4, -100], [3, -100, -100]], "changed: </s>"
print("Expected: labels [[3, 4, 1], [3, 1, -100]] both times")
print("Seen:     no label is 1, the end of text, when padding uses it too")
PY
