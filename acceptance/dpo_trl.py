"""Writes the test resources text/src/test/resources/preferences: four steps of TRL 1.16.0's DPOTrainer in float32 (torch 2.15.0,
transformers 5.24.0, peft 0.21.2) from an adapter, whose copy is the reference, and of a whole model. Every step is on all rows, with plain SGD,
so that the weights at the end say what the gradients were. Usage: python dpo_trl.py MODEL ADAPTER OUTPUT, where MODEL and ADAPTER are
golden/dpo and golden/dpo-adapter of tokentune-samediff's test resources."""
import json
import os
import random
import sys
import tempfile

import torch
from datasets import Dataset
from peft import PeftModel
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer

WORDS = ["<pad>", "<s>", "</s>", "<unk>"] + ["w%d" % i for i in range(57)]
RATE, STEPS, BETA = 0.5, 4, 0.1


def tokenizer(folder):
    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
    fast.save_pretrained(folder)
    return fast


def rows():
    rng = random.Random(7)
    text = lambda n: " ".join(rng.choice(WORDS[4:]) for _ in range(n))
    return [dict(prompt=text(2 + i % 3), chosen=" " + text(3 + i), rejected=" " + text(7 - i)) for i in range(6)]


class Noting(DPOTrainer):
    """Notes the numbers of every step before they are rounded."""

    def __init__(self, *args, **kwargs):
        self.noted = []
        super().__init__(*args, **kwargs)

    def compute_loss(self, model, inputs, *args, **kwargs):
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        last = {name: values[-1] for name, values in self._metrics["train"].items() if name.startswith(("rewards", "logps"))}
        self.noted.append(dict(loss=loss.item(), **last))
        return loss


def train(model, fast, output):
    settings = DPOConfig(
        output_dir=output, beta=BETA, bf16=False, per_device_train_batch_size=6, max_steps=STEPS, learning_rate=RATE, lr_scheduler_type="constant",
        optim="sgd", max_grad_norm=0.0, logging_steps=1, save_strategy="no", report_to=[], gradient_checkpointing=False, use_cpu=True, seed=1)
    trainer = Noting(model=model, args=settings, train_dataset=Dataset.from_list(rows()), processing_class=fast)
    trainer.train()
    return trainer


def main(base, adapter, output):
    fast = tokenizer(output)
    with open(os.path.join(output, "rows.jsonl"), "w", encoding="utf-8") as out:
        for row in rows():
            out.write(json.dumps(row) + "\n")
    noted = {}
    with tempfile.TemporaryDirectory() as work:
        load = lambda: LlamaForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
        trainer = train(PeftModel.from_pretrained(load(), adapter, is_trainable=True), fast, work)
        noted["adapter"] = trainer.noted
        own = {n.replace(".default.", "."): p.detach().contiguous() for n, p in trainer.model.named_parameters() if ".default." in n}
        save_file(own, os.path.join(output, "adapter.safetensors"))
        trainer = train(load(), fast, work)
        noted["whole"] = trainer.noted
        save_file({n: p.detach().contiguous() for n, p in trainer.model.named_parameters()}, os.path.join(output, "whole.safetensors"))
    with open(os.path.join(output, "steps.json"), "w", encoding="utf-8") as out:
        json.dump(dict(beta=BETA, rate=RATE, **noted), out, indent=1)
        out.write("\n")
    for name, steps in noted.items():
        for step in steps:
            print(name, step)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
