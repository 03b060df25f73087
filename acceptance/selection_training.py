"""Which tokens, and which remedies: trains all-minilm-l6-v2 with a new head on position 0 on 4,000 of SST-2's phrases through a quarter of
the tokens, chosen in many ways, in PyTorch, where a way to choose is a few lines. Scored on SST-2's 872 test sentences and on the first
3,000 rows of its dev part; 2 epochs, batches of 32, AdamW at 1e-4, linear decay, dropout 0.1.

    ./tokentune export --model all-minilm-l6-v2 --to safetensors --output minilm
    python acceptance/selection_training.py minilm ../shared/data/sst2 RESULTS.tsv [CELL...]

Prints a line for each run and, at the end, means and standard errors; runs that are in RESULTS.tsv are not made again. 1 to 4 minutes a
run on one thread, three seeds (SEEDS="1 2 3"). Made with PyTorch 2.15.0 and transformers 5.24.0.

Cells: how tokens are scored (random; received: attention received from all queries in all layers; gradient: the norm of the gradient at the
hidden states in all layers, of the full gradient, an oracle; before: attention received in the model as it was before the training), and
how they are drawn by it (top; drawn: in proportion; half: half of them top, half by chance). "ends" always selects the last token, [SEP],
beside the first, "inner" never does unless none is left, "layers" draws anew for each layer, "growing" and "shrinking" go from 10% to 40%
and back over the training, "full N" takes every N-th step with all tokens, "norms N" does so and multiplies each part's gradient by a
running mean of the ratio of the norms of the full gradient to that of the selected tokens. Beside accuracy: the norm of the gradient of the
two lowest layers through the selected tokens relative to the full one, and the cosine, mean over one batch in 25.
"""
import csv
import math
import os
import random
import re
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from transformers import AutoModel, AutoTokenizer

from selection_bias import Encoder

SHARE, ROWS, EPOCHS, RATE = 0.25, 32, 2, 1e-4
CELLS = ["all", "random", "received top", "received drawn", "received half", "before top", "before drawn", "before half", "gradient top",
         "gradient drawn", "gradient half", "random ends", "random inner", "received inner", "random layers", "random growing",
         "random shrinking", "random full 10", "random full 50", "random norms 50", "random norms 10"]


def read(path, limit):
    rows = list(csv.reader(open(path, encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE))[1:limit + 1]
    return [row[0] for row in rows], [int(row[1]) for row in rows]


class Run:
    def __init__(self, model, seed, cell):
        self.cell = cell.split()
        self.tokenizer, encoder = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).eval()
        torch.manual_seed(seed)
        self.encoder = Encoder(encoder, 0.1)
        self.scorer = Encoder(encoder) if self.cell[0] == "before" else self.encoder
        self.p = self.encoder.p
        self.draws = torch.Generator().manual_seed(seed)
        self.ratios = {}
        self.likeness = []

    def batch(self, texts, labels):
        tokens = self.tokenizer(texts, padding=True, truncation=True, max_length=128, return_tensors="pt")
        return tokens["input_ids"], tokens["attention_mask"], torch.tensor(labels)

    def gradients(self, batch, selected, seed):
        """The gradient of each parameter; the same seed gives the same dropout."""
        ids, mask, labels = batch
        torch.manual_seed(seed)
        loss = F.cross_entropy(self.encoder.logits(ids, mask, selected), labels)
        grads = torch.autograd.grad(loss, list(self.p.values()), allow_unused=True)
        return {n: torch.zeros_like(v) if g is None else g for (n, v), g in zip(self.p.items(), grads)}

    def scores(self, batch):
        """A number for each token, from the frozen pass or from the full gradient."""
        ids, mask, labels = batch
        if self.cell[0] in ("received", "before"):
            with torch.no_grad():
                received = []
                self.scorer.logits(ids, mask, None, dropout=0, received=received)
            return sum(received) * mask
        hidden = []
        loss = F.cross_entropy(self.encoder.logits(ids, mask, None, dropout=0, hidden=hidden), labels)
        return sum(g.norm(dim=2) for g in torch.autograd.grad(loss, hidden)) * mask

    def select(self, batch, done):
        """Selected positions, or one such tensor for each layer; done is the share of the training that is over."""
        ids, mask, _ = batch
        share = {"growing": 0.1 + 0.3 * done, "shrinking": 0.4 - 0.3 * done}.get(self.cell[-1], SHARE)
        lengths = mask.sum(1)
        count = torch.minimum(torch.clamp((lengths * share).ceil().long(), min=2), lengths)

        def lowest(order, count):
            order = order.clone()
            order[:, 0] = -math.inf
            order[mask == 0] = math.inf
            return order.argsort(1).argsort(1) < count[:, None]

        def chance():
            return torch.rand(mask.shape, generator=self.draws)

        if self.cell[-1] in ("ends", "inner"):
            order = chance() if self.cell[0] == "random" else -self.scores(batch)
            order[torch.arange(mask.shape[1]) == (lengths - 1)[:, None]] = -1e9 if self.cell[-1] == "ends" else 1e9
            return lowest(order, count)
        if self.cell[-1] == "layers":
            return [lowest(chance(), count) for _ in range(self.encoder.layers)]
        if self.cell[0] == "random":
            return lowest(chance(), count)
        scores = self.scores(batch)
        if self.cell[1] == "top":
            return lowest(-scores, count)
        if self.cell[1] == "drawn":  # the smallest of exponential times, each at its token's rate
            return lowest(-torch.log(chance()) / scores.clamp(min=1e-12), count)
        top = lowest(-scores, 1 + (count - 1) // 2)
        return lowest(torch.where(top, torch.full(mask.shape, -1.0), chance()), count)

    def step(self, batch, number, steps):
        every = int(self.cell[2]) if len(self.cell) == 3 else 0
        with_all = self.cell[0] == "all" or (every and number % every == 0)
        if self.cell[0] == "all":
            return self.gradients(batch, None, number)
        selected = None if with_all and self.cell[1] == "full" else self.select(batch, number / steps)
        grads = None if selected is None else self.gradients(batch, selected, number)
        full = self.gradients(batch, None, number) if with_all or number % 25 == 0 else None
        if grads and full:
            low = [n for n in grads if n.startswith(("encoder.layer.0.", "encoder.layer.1."))]
            a, b = (torch.cat([some[n].flatten() for n in low]) for some in (grads, full))
            self.likeness.append(((a.norm() / b.norm()).item(), F.cosine_similarity(a, b, dim=0).item()))
        if with_all and self.cell[1] == "norms":
            for part, names in self.encoder.parts().items():
                a, b = (torch.cat([some[n].flatten() for n in names]).norm().item() for some in (grads, full))
                if a > 0:
                    self.ratios[part] = b / a if part not in self.ratios else 0.5 * self.ratios[part] + 0.5 * b / a
        if with_all:
            return full
        if self.ratios:
            for part, names in self.encoder.parts().items():
                for n in names:
                    grads[n] = grads[n] * self.ratios.get(part, 1)
        return grads

    def batches(self, texts, shuffle):
        """Rows of texts of similar length, from pools of 16 batches, in random order."""
        order = shuffle.sample(range(len(texts)), len(texts) // ROWS * ROWS)
        pools = [sorted(order[at:at + 16 * ROWS], key=lambda i: len(texts[i])) for at in range(0, len(order), 16 * ROWS)]
        batches = [pool[at:at + ROWS] for pool in pools for at in range(0, len(pool), ROWS)]
        shuffle.shuffle(batches)
        return batches

    def train(self, texts, labels, seed):
        optimizer = torch.optim.AdamW(self.p.values(), lr=RATE, weight_decay=0.01)
        shuffle = random.Random(seed)
        steps = EPOCHS * (len(texts) // ROWS)
        number = 0
        for _ in range(EPOCHS):
            for some in self.batches(texts, shuffle):
                batch = self.batch([texts[i] for i in some], [labels[i] for i in some])
                for name, grad in self.step(batch, number, steps).items():
                    self.p[name].grad = grad
                for group in optimizer.param_groups:
                    group["lr"] = RATE * (1 - number / steps)
                optimizer.step()
                number += 1

    def accuracy(self, texts, labels):
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        right = 0
        with torch.no_grad():
            for at in range(0, len(order), 64):
                ids, mask, wanted = self.batch([texts[i] for i in order[at:at + 64]], [labels[i] for i in order[at:at + 64]])
                right += (self.encoder.logits(ids, mask, None, dropout=0).argmax(1) == wanted).sum().item()
        return right / len(texts)


def main(model, data, results, *cells):
    kinds = {re.sub(r"\d+", "N", cell) for cell in CELLS}
    for cell in cells:
        if re.sub(r"\d+", "N", cell) not in kinds:
            sys.exit(f"There is no cell '{cell}', only {', '.join(CELLS)}, and other numbers in these.")
    torch.set_num_threads(1)
    train, test, dev = read(data + "/train.tsv", 4000), read(data + "/test.tsv", 10**6), read(data + "/dev.tsv", 3000)
    seeds = [int(seed) for seed in os.environ.get("SEEDS", "1 2 3").split()]
    done = [line.rstrip("\n").split("\t") for line in open(results)] if os.path.exists(results) else []
    for seed in seeds:
        for cell in cells or CELLS:
            if any(line[:2] == [cell, str(seed)] for line in done):
                continue
            start = time.time()
            run = Run(model, seed, cell)
            run.train(*train, seed)
            size, cosine = (statistics.mean(of) for of in zip(*run.likeness)) if run.likeness else (1, 1)
            line = [cell, str(seed)] + [f"{value:.4f}" for value in (run.accuracy(*test), run.accuracy(*dev), size, cosine)]
            line.append(f"{time.time() - start:.0f}")
            done.append(line)
            with open(results, "a") as out:
                print("\t".join(line), file=out)
            print("\t".join(line), flush=True)
    for cell in cells or CELLS:
        of = [list(map(float, line[2:])) for line in done if line[0] == cell]
        if of:
            columns = list(zip(*of))
            error = [100 * statistics.stdev(c) / math.sqrt(len(c)) if len(c) > 1 else 0 for c in columns[:2]]
            print(f"{cell:18} test {100 * statistics.mean(columns[0]):.1f} +- {error[0]:.1f}, dev {100 * statistics.mean(columns[1]):.1f} +- "
                  f"{error[1]:.1f}, lower layers' norm {statistics.mean(columns[2]):.2f}, cosine {statistics.mean(columns[3]):.2f} "
                  f"({len(of)} seeds)")


if len(sys.argv) < 4:
    sys.exit(__doc__)
main(*sys.argv[1:])
