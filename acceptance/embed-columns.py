"""Records steps of a sentence encoder through selected tokens, every column of texts by itself.

    python acceptance/embed-columns.py FOLDER CASE ...

FOLDER is a sentence-transformers model with recorded cases (see Parity) and CASE the name of one of three columns, such as triplet-tokentune:
sentence-transformers 6.2 runs all columns but the first as one batch, so that the recorded selection of these never counted. This writes the
same inputs with the gradients of columns that run apart, as CASE with -columns in its name. Needs sentence-transformers 6.2 and safetensors.
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from torch.nn import functional as F


def gate(model, selected, length):
    """Detaches the rows of positions outside `selected` after every module."""
    keep = torch.zeros(selected.shape[0], length, dtype=torch.bool)
    keep.scatter_(1, selected, True)

    def rows(x):
        if torch.is_tensor(x) and x.dim() >= 2 and x.is_floating_point() and x.shape[:2] == keep.shape:
            return torch.where(keep.view(*keep.shape, *[1] * (x.dim() - 2)), x, x.detach())
        return x

    return [m.register_forward_hook(lambda _, __, out: tuple(map(rows, out)) if isinstance(out, tuple) else rows(out)) for n, m in model.named_modules() if n]


folder = sys.argv[1]
model = SentenceTransformer(folder, device="cpu").eval()
bert = model[0].model if hasattr(model[0], "model") else model[0].auto_model
for case in sys.argv[2:]:
    recorded = load_file("%s/%s.safetensors" % (folder, case))
    model.zero_grad()
    vectors = []
    for column in ("anchor", "positive", "negative"):
        ids, mask = recorded[column + ".input_ids"], recorded[column + ".attention_mask"]
        hooks = gate(bert, recorded[column + ".selected"], ids.shape[1])
        vectors.append(model(dict(input_ids=ids, attention_mask=mask))["sentence_embedding"])
        for hook in hooks:
            hook.remove()
    a, p, n = vectors
    if case.startswith("triplet"):
        loss = F.relu(F.pairwise_distance(a, p) - F.pairwise_distance(a, n) + 5).mean()
    else:
        loss = F.cross_entropy(20 * F.normalize(a) @ F.normalize(torch.cat([p, n])).T, torch.arange(len(a)))
    print(case, float(loss), float(recorded["loss"]))
    loss.backward()
    out = {name: t for name, t in recorded.items() if not name.startswith("grad.")}
    out.update({"grad." + name: w.grad for name, w in bert.named_parameters() if w.grad is not None})
    save_file({name: t.contiguous() for name, t in out.items()}, "%s/%s.safetensors" % (folder, case.replace("-tokentune", "-columns-tokentune")))
