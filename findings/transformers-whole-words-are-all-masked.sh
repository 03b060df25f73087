#!/usr/bin/env bash
# transformers 5.24.0: with whole words, the collator for masked language models masks every hidden token.
# Expected: of the hidden tokens 80% are masked, 10% replaced and 10% kept, as mask_replace_prob=0.8 and
#   random_replace_prob=0.1 (the defaults) say and as BERT was trained with whole words.
# Seen: whole_word_mask=True sets mask_replace_prob to 1 and random_replace_prob to 0, with a warning only.
# Why it matters: a model that is never shown a hidden word as it is learns that all words that it can see are
#   right; losses of runs with and without whole words are not those of the same task.
# The installation takes 6 GB in the temporary folder, as PyTorch does.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python="${PYTHON:-}"
if [ -z "$python" ]; then
  python3 -m venv "$dir/venv"
  "$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 transformers==5.24.0
  python="$dir/venv/bin/python"
fi
"$python" - <<'PY'
import warnings

import tokenizers
import torch
import transformers
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

warnings.simplefilter("ignore")
assert transformers.__version__ == "5.24.0", transformers.__version__
words = ["[PAD]", "[MASK]", "[UNK]"] + [f"w{i}" for i in range(50)]
made = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]", mask_token="[MASK]", unk_token="[UNK]")
row = tokenizer(" ".join(f"w{i % 50}" for i in range(400)), return_offsets_mapping=True, return_special_tokens_mask=True)
for whole in (False, True):
    torch.manual_seed(1)
    collate = DataCollatorForLanguageModeling(tokenizer, whole_word_mask=whole)
    masked = hidden = 0
    for _ in range(50):
        batch = collate([{k: v for k, v in row.items() if whole or k != "offset_mapping"}])
        chosen = batch["labels"] != -100
        hidden += chosen.sum().item()
        masked += (batch["input_ids"][chosen] == 1).sum().item()
    print(f"whole_word_mask={whole}: {masked / hidden:.1%} of {hidden} hidden tokens are masked")
    assert (masked == hidden) if whole else abs(masked / hidden - 0.8) < 0.03, "changed"
print("Expected: 80% each time")
print("Seen:     100% with whole words")
PY
