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


def forward(config, p, ids, mask, selected=None, factor=None):
    heads, hidden = config.num_attention_heads, config.hidden_size
    rows, length = ids.shape

    def norm(x, name):
        return F.layer_norm(x, (hidden,), p[name + ".weight"], p[name + ".bias"], config.layer_norm_eps)

    def through(x):
        return x if selected is None else torch.where(selected[:, :, None], x, x.detach())

    def key(x):
        x = through(x)
        return x if factor is None else scaled(x, factor[:, :, None])

    def split(x):
        return x.view(rows, length, heads, hidden // heads).transpose(1, 2)

    e = "embeddings."
    x = p[e + "word_embeddings.weight"][ids] + p[e + "position_embeddings.weight"][:length] + p[e + "token_type_embeddings.weight"][0]
    x = norm(x, e + "LayerNorm")
    hidden_keys = (1 - mask[:, None, None, :].float()) * -1e9
    for layer in range(config.num_hidden_layers):
        b = f"encoder.layer.{layer}."
        x = through(x)
        q = through(linear(x, b + "attention.self.query", p))
        k, v = key(linear(x, b + "attention.self.key", p)), key(linear(x, b + "attention.self.value", p))
        weights = torch.softmax(split(q) @ split(k).transpose(-1, -2) / math.sqrt(hidden // heads) + hidden_keys, -1)
        context = (weights @ split(v)).transpose(1, 2).reshape(rows, length, hidden)
        x = norm(x + linear(context, b + "attention.output.dense", p), b + "attention.output.LayerNorm")
        x = norm(x + linear(F.gelu(linear(x, b + "intermediate.dense", p)), b + "output.dense", p), b + "output.LayerNorm")
    return F.linear(x[:, 0], p["head.weight"], p["head.bias"])


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
    config = encoder.config
    p = {name: value.detach().clone().requires_grad_(True) for name, value in encoder.named_parameters() if "pooler" not in name}
    p["head.weight"] = (torch.randn(2, config.hidden_size, generator=torch.Generator().manual_seed(0)) * 0.02).requires_grad_(True)
    p["head.bias"] = torch.zeros(2, requires_grad=True)
    rows = list(csv.reader(open(data, encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    random.Random(1).shuffle(rows)

    def batch(number):
        some = rows[ROWS * number:ROWS * (number + 1)]
        tokens = tokenizer([row[0] for row in some], padding=True, truncation=True, max_length=128, return_tensors="pt")
        return tokens["input_ids"], tokens["attention_mask"], torch.tensor([int(row[1]) for row in some])

    def loss(number, selected=None, factor=None):
        ids, mask, labels = batch(number)
        return F.cross_entropy(forward(config, p, ids, mask, selected, factor), labels)

    optimizer = torch.optim.AdamW(p.values(), lr=1e-4)
    for step in range(steps):
        optimizer.zero_grad()
        loss(step + 1).backward()
        optimizer.step()

    def gradients(*selection):
        for value in p.values():
            value.grad = None
        loss(0, *selection).backward()
        groups = {}
        for name, value in p.items():
            part = name.split(".")[0] if not name.startswith("encoder") else "layer " + name.split(".")[2]
            groups.setdefault(part, []).append((torch.zeros_like(value) if value.grad is None else value.grad).flatten().clone())
        return {part: torch.cat(some) for part, some in groups.items()}

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


main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 100)
