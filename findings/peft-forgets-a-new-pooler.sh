#!/usr/bin/env bash
# PEFT 0.21.2 with transformers 5.24.0: a classifier with LoRA is saved, loaded again, and has other probabilities.
# Expected: what transformers has made anew for the task, as the file lacks it, is saved with the adapters, as the classifier is.
# Seen: a BERT that was saved as a masked language model has no pooler. For classification transformers draws one at random; the task type
#   SEQ_CLS makes PEFT train and save the classifier, but the pooler stays frozen, and no file gets it. The next process draws another one.
#   transformers names the pooler in its report of missing weights, as it does the classifier; PEFT says nothing.
# Why it matters: adapters for models that were pretrained further with masked words, as usual for texts of a field, are of no use outside
#   the process that trained them. DistilBERT's pre_classifier is saved. modules_to_save=["pooler"] saves this one.
# The installation takes 6 GB in the temporary folder, as PyTorch does.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 transformers==5.24.0 peft==0.21.2
HF_HUB_OFFLINE=1 "$dir/venv/bin/python" - "$dir" 2>"$dir/log" <<'PY' || { tail -5 "$dir/log"; exit 1; }
import sys

import torch
import transformers
from peft import LoraConfig, PeftModel, __version__, get_peft_model
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

transformers.logging.set_verbosity_error()
print("PEFT", __version__, "transformers", transformers.__version__)
base, adapter = sys.argv[1] + "/base", sys.argv[1] + "/adapter"
torch.manual_seed(0)
BertForMaskedLM(BertConfig(vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)).save_pretrained(base)
ids = torch.arange(8)[None]


def classifier(seed):
    torch.manual_seed(seed)
    return BertForSequenceClassification.from_pretrained(base, num_labels=2)


def probabilities(saved, loaded):
    saved.save_pretrained(adapter)
    again = PeftModel.from_pretrained(classifier(loaded), adapter)
    return [torch.softmax(m.eval()(input_ids=ids).logits[0], 0)[0].item() for m in (saved, again)]


def wrapped(**settings):
    return get_peft_model(classifier(1), LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query"], **settings))


model = wrapped()
kept = [name for name, p in model.named_parameters() if p.requires_grad and "lora" not in name]
before, after = probabilities(model, 2)
named_before, named_after = probabilities(wrapped(modules_to_save=["pooler"]), 2)
print("trained and saved beside the adapters:", kept)
print(f"Expected: {before:.6f} again after loading")
print(f"Seen:     {after:.6f}; with modules_to_save=['pooler'] {named_before:.6f} and {named_after:.6f}")
assert abs(before - after) > 1e-5, "changed: the pooler is saved"
assert abs(named_before - named_after) < 1e-6, "changed: modules_to_save"
PY
