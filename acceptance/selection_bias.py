"""How the gradient through randomly selected tokens compares with the full one, layer by layer, in PyTorch: all-minilm-l6-v2 with a new
head on position 0, a batch of 32 of SST-2's phrases, a quarter of the tokens of each and always position 0. "scaled" multiplies the
gradients of keys and values of selected tokens by what their number is short of all (but not of position 0), so that a path through
one such token counts as much as in the full gradient on average.

    ./tokentune export --model all-minilm-l6-v2 --to safetensors --output minilm
    python acceptance/selection_bias.py minilm ../shared/data/sst2/train.tsv [STEPS]

prints, after STEPS steps of training with all tokens (default 100), for each layer: cosine and norm relative to the full gradient, of
one draw (mean of 40) and of the mean of 40 draws. 5 minutes on 2 cores. Made with PyTorch 2.15.0 and transformers 5.24.0.
"""
import csv
import math
import random
import sys

import torch
import torch.nn.functional as F
from transformers import AutoModel, AutoTokenizer

DRAWS, SHARE, ROWS = 40, 0.25, 32


def linear(x, name, p):
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def scaled(x, factor):
    """x, with its gradient multiplied."""
    return x * factor + (x * (1 - factor)).detach()


class Encoder:
    """A BERT with a new head for two classes on position 0, through some of whose tokens gradients go.

    p: the parameters by name."""

    def __init__(self, model, dropout=0.0):
        self.config, self.dropout, self.layers = model.config, dropout, model.config.num_hidden_layers
        self.p = {name: value.detach().clone().requires_grad_(True) for name, value in model.named_parameters() if "pooler" not in name}
        self.p["head.weight"] = (torch.randn(2, self.config.hidden_size) * 0.02).requires_grad_(True)
        self.p["head.bias"] = torch.zeros(2, requires_grad=True)

    def parts(self):
        """Names of parameters by part: embeddings, layers, head."""
        parts = {}
        for name in self.p:
            parts.setdefault("layer " + name.split(".")[2] if name.startswith("encoder") else name.split(".")[0], []).append(name)
        return parts

    def logits(self, ids, mask, selected=None, factor=None, dropout=None, received=None, hidden=None):
        """selected: positions, or a list of such for each layer; factor: of the gradients of keys and values. received and hidden: lists to
        which each layer's attention received by each position and hidden states are added."""
        config, p = self.config, self.p
        heads, size = config.num_attention_heads, config.hidden_size
        rows, length = ids.shape
        dropout = self.dropout if dropout is None else dropout

        def norm(x, name):
            return F.layer_norm(x, (size,), p[name + ".weight"], p[name + ".bias"], config.layer_norm_eps)

        def drop(x):
            return F.dropout(x, dropout) if dropout else x

        def split(x):
            return x.view(rows, length, heads, size // heads).transpose(1, 2)

        e = "embeddings."
        x = p[e + "word_embeddings.weight"][ids] + p[e + "position_embeddings.weight"][:length] + p[e + "token_type_embeddings.weight"][0]
        x = drop(norm(x, e + "LayerNorm"))
        hidden_keys = (1 - mask[:, None, None, :].float()) * -1e9
        for layer in range(self.layers):
            b = f"encoder.layer.{layer}."
            of = selected[layer] if isinstance(selected, list) else selected

            def through(x):
                return x if of is None else torch.where(of[:, :, None], x, x.detach())

            def key(x):
                x = through(x)
                return x if factor is None else scaled(x, factor[:, :, None])

            x = through(x)
            if hidden is not None:
                hidden.append(x)
            q = through(linear(x, b + "attention.self.query", p))
            k, v = key(linear(x, b + "attention.self.key", p)), key(linear(x, b + "attention.self.value", p))
            weights = torch.softmax(split(q) @ split(k).transpose(-1, -2) / math.sqrt(size // heads) + hidden_keys, -1)
            if received is not None:
                received.append((weights * mask[:, None, :, None]).sum((1, 2)))
            context = (drop(weights) @ split(v)).transpose(1, 2).reshape(rows, length, size)
            x = norm(x + drop(linear(context, b + "attention.output.dense", p)), b + "attention.output.LayerNorm")
            x = norm(x + drop(linear(F.gelu(linear(x, b + "intermediate.dense", p)), b + "output.dense", p)), b + "output.LayerNorm")
        return linear(drop(x[:, 0]), "head", p)


def draw(mask, generator):
    """Selected positions, and the factor of the gradients of their keys and values."""
    lengths = mask.sum(1)
    order = torch.rand(mask.shape, generator=generator)
    order[:, 0] = -1
    order[mask == 0] = 2
    count = torch.minimum(torch.clamp((lengths * SHARE).ceil().long(), min=2), lengths)
    selected = order.argsort(1).argsort(1) < count[:, None]
    factor = torch.where(selected, ((lengths - 1) / (count - 1))[:, None], torch.ones(mask.shape))
    factor[:, 0] = 1
    return selected, factor


def main(model, data, steps):
    torch.set_num_threads(1)
    tokenizer, encoder = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).eval()
    torch.manual_seed(0)
    encoder = Encoder(encoder)
    p = encoder.p
    rows = list(csv.reader(open(data, encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    random.Random(1).shuffle(rows)

    def batch(number):
        some = rows[ROWS * number:ROWS * (number + 1)]
        tokens = tokenizer([row[0] for row in some], padding=True, truncation=True, max_length=128, return_tensors="pt")
        return tokens["input_ids"], tokens["attention_mask"], torch.tensor([int(row[1]) for row in some])

    def loss(number, selected=None, factor=None):
        ids, mask, labels = batch(number)
        return F.cross_entropy(encoder.logits(ids, mask, selected, factor), labels)

    optimizer = torch.optim.AdamW(p.values(), lr=1e-4)
    for step in range(steps):
        optimizer.zero_grad()
        loss(step + 1).backward()
        optimizer.step()

    def gradients(*selection):
        for value in p.values():
            value.grad = None
        loss(0, *selection).backward()
        return {
            part: torch.cat([(torch.zeros_like(p[name]) if p[name].grad is None else p[name].grad).flatten() for name in names])
            for part, names in encoder.parts().items()
        }

    full = gradients()
    mask = batch(0)[1]
    for kind in ("random", "scaled"):
        generator = torch.Generator().manual_seed(3)
        draws = []
        for _ in range(DRAWS):
            selected, factor = draw(mask, generator)
            draws.append(gradients(selected, factor if kind == "scaled" else None))
        for part, wanted in full.items():
            each = [one[part] for one in draws]
            mean = torch.stack(each).mean(0)
            cosine = sum(F.cosine_similarity(one, wanted, dim=0).item() for one in each) / DRAWS
            size = sum((one.norm() / wanted.norm()).item() for one in each) / DRAWS
            print(f"{kind}, {part}: one draw cosine {cosine:.2f}, norm {size:.2f}; mean of {DRAWS} draws cosine "
                  f"{F.cosine_similarity(mean, wanted, dim=0).item():.2f}, norm {(mean.norm() / wanted.norm()).item():.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 100)
