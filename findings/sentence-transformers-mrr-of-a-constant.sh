#!/usr/bin/env bash
# sentence-transformers 6.2.0: RerankingEvaluator gives a model that tells nothing apart a mean reciprocal rank of 1.
# Expected: one vector for all texts is worth what chance is: an MRR of about 0.29 for one relevant text among ten, and beside the others'
#   scores of the same ranking, a mean average precision of 0.1 and an nDCG of 0.45.
# Seen: relevant texts are put before the others, and texts of equal score keep that order where the first relevant one is looked for, so
#   that it is always the first. Average precision and nDCG, by scikit-learn, treat equal scores as such.
# Why it matters: collapsed trainings, vectors of few bits and scores that saturate at 1 have equal scores: a search for the best MRR
#   prefers them. This project counts a relevant text after all others of its score (`RerankTallyTest`).
# The installation takes 6 GB in the temporary folder, as PyTorch does.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile torch==2.15.0 transformers==5.24.0 sentence-transformers==6.2.0
cd "$dir"
"$dir/venv/bin/python" - 2>"$dir/log" <<'PY' || { tail -5 "$dir/log"; exit 1; }
import sentence_transformers
import torch
from sentence_transformers.evaluation import RerankingEvaluator


class Constant(torch.nn.Module):
    """A sentence encoder with one vector for all texts."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(4))

    def encode(self, texts, **settings):
        return self.weight.detach().repeat(len(texts), 1)

    encode_query = encode_document = encode

    def similarity(self, a, b):
        return torch.nn.functional.cosine_similarity(a[:, None], b[None], dim=-1)

    similarity_fn_name, model_card_data = "cosine", None


samples = [dict(query=f"query {i}", positive=["right"], negative=[f"wrong {j}" for j in range(9)]) for i in range(20)]
scores = RerankingEvaluator(samples, at_k=10, show_progress_bar=False, write_csv=False).compute_metrics(Constant())
scores = {name: round(float(score), 2) for name, score in scores.items()}
print("sentence-transformers", sentence_transformers.__version__)
print("Expected: no score above that of chance, MRR 0.29")
print("Seen:    ", scores)
assert scores == {"map": 0.1, "mrr": 1.0, "ndcg": 0.45}, "changed"
PY
