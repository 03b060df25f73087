"""Records a step of a sentence encoder with other kinds of pooling: multiple negatives ranking loss of sentence-transformers 6.2.

    python acceptance/embed-pooling.py FOLDER OUTPUT MODE ...

FOLDER is a sentence-transformers model that pools by the mean, with the recorded cases mnrl and mnrl-tokentune (see Parity); for each MODE, such as
max or lasttoken, their inputs are run with that pooling, and OUTPUT/MODE.safetensors and MODE-tokentune.safetensors have vectors, loss and some
gradients. Needs sentence-transformers 6.2 and safetensors.
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer, models
from torch.nn import functional as F

GRADIENTS = ("embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight", "encoder.layer.1.output.dense.weight")


def gate(model, selected, length):
    """Detaches the rows of positions outside `selected` after every module."""
    keep = torch.zeros(selected.shape[0], length, dtype=torch.bool)
    keep.scatter_(1, selected, True)

    def rows(x):
        if torch.is_tensor(x) and x.dim() >= 2 and x.is_floating_point() and x.shape[:2] == keep.shape:
            return torch.where(keep.view(*keep.shape, *[1] * (x.dim() - 2)), x, x.detach())
        return x

    return [m.register_forward_hook(lambda _, __, out: tuple(map(rows, out)) if isinstance(out, tuple) else rows(out)) for n, m in model.named_modules() if n]


folder, output = sys.argv[1:3]
for mode in sys.argv[3:]:
    model = SentenceTransformer(folder, device="cpu").eval()
    bert = model[0].model if hasattr(model[0], "model") else model[0].auto_model
    model[1] = models.Pooling(32, pooling_mode=mode)
    for case in ("mnrl", "mnrl-tokentune"):
        recorded = load_file(f"{folder}/{case}.safetensors")
        model.zero_grad()
        out = {name: t for name, t in recorded.items() if not name.startswith("grad.")}
        vectors = []
        for column in ("anchor", "positive"):
            ids, mask = recorded[column + ".input_ids"], recorded[column + ".attention_mask"]
            hooks = gate(bert, recorded[column + ".selected"], ids.shape[1]) if case.endswith("tokentune") else []
            vectors.append(model(dict(input_ids=ids, attention_mask=mask))["sentence_embedding"])
            for hook in hooks:
                hook.remove()
            out[column + ".embedding"] = vectors[-1].detach()
        a, p = vectors
        loss = F.cross_entropy(20 * F.normalize(a) @ F.normalize(p).T, torch.arange(len(a)))
        loss.backward()
        out["loss"] = loss.detach()
        out.update({"grad." + name: w.grad for name, w in bert.named_parameters() if name in GRADIENTS})
        save_file({name: t.contiguous() for name, t in out.items()}, f"{output}/{case.replace('mnrl', mode)}.safetensors")
        print(mode, case, float(loss), len(out))
