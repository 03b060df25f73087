#!/usr/bin/env bash
# transformers 5.24.0: `id2label` and `label2id` in config.json are not derived from each other.
# Expected: names in one map are enough, as each follows from the other.
# Seen: `label2id` alone is thrown away: three classes become LABEL_0 and LABEL_1, and num_labels is 2. With
#   `id2label` alone `label2id` is None. If both are given and disagree, both are kept as they are. Nothing is
#   logged.
# Why it matters: a classifier saved by another tool with label2id only gets a head of the wrong size, and one
#   with id2label only fails where training code maps label names to ids.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile transformers==5.24.0
"$dir/venv/bin/python" - <<'PY'
import transformers
from transformers import BertConfig

transformers.logging.set_verbosity_warning()
print("transformers", transformers.__version__)
ids, names = {"negative": 0, "neutral": 1, "positive": 2}, {0: "negative", 1: "neutral", 2: "positive"}
backwards = {"positive": 0, "neutral": 1, "negative": 2}
for given in ({"label2id": ids}, {"id2label": names}, {"id2label": names, "label2id": backwards}):
    config = BertConfig(**given)
    print(f"given {given}:\n    id2label {config.id2label}, label2id {config.label2id}, num_labels {config.num_labels}")
    if "id2label" not in given:
        assert config.id2label == {0: "LABEL_0", 1: "LABEL_1"} and config.num_labels == 2, "changed: label2id alone"
    elif "label2id" not in given:
        assert config.label2id is None and config.num_labels == 3, "changed: id2label alone"
    else:
        assert config.id2label == names and config.label2id == backwards, "changed: both"
print("Expected: three labels and both maps each time, or a word about the contradiction")
print("Seen:     two labels, no label2id, two maps that disagree")
PY
