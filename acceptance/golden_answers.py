"""Makes the gradients of golden/bert-qa/answers-tokentune.safetensors anew, from its inputs: those through selected tokens only, where the
scores of the selected tokens that were drawn by chance stand for all that could have been drawn (the ends of the answer and the two
tokens on either side are always selected, and stand for themselves).
Made with PyTorch 2.15.0 and transformers 5.24.0.
Usage: python golden_answers.py tokentune-samediff/src/test/resources/golden/bert-qa [NEIGHBOURS=2]
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import BertForQuestionAnswering

from golden import detach


def main(folder, neighbours=2):
    file = f"{folder}/answers-tokentune.safetensors"
    case = load_file(file)
    model = BertForQuestionAnswering.from_pretrained(folder, attn_implementation="eager").eval()
    mask, labels, positions = case["attention_mask"].bool(), case["labels"], case["selected"]
    selected = torch.zeros(mask.shape, dtype=torch.bool).scatter(1, positions, True)
    near = torch.arange(mask.shape[1])[None, :, None] - labels[:, None, :]
    certain = (near.abs() <= neighbours).any(2) & mask & selected
    drawn = mask & selected & ~certain
    left = mask & ~certain
    factor = torch.where(drawn, left.sum(1, keepdim=True) / drawn.sum(1, keepdim=True).clamp(min=1), 1.0)
    detach(model, selected)

    def gradients(factors):
        model.zero_grad()
        inputs = {name: case[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
        states = model.bert(**inputs)[0]
        logits = model.qa_outputs(states)
        logits = logits.detach() + factors[:, :, None] * (logits - logits.detach())
        masked = logits.masked_fill(~mask[:, :, None], -1e9)
        loss = sum(torch.nn.functional.cross_entropy(masked[:, :, i], labels[:, i]) for i in range(2)) / 2
        loss.backward()
        return {f"grad.{name}": value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}, loss.detach()

    plain, loss = gradients(torch.ones(mask.shape))
    off = max((plain[name] - case[name]).abs().max().item() for name in case if name.startswith("grad."))
    scaled, again = gradients(factor)
    print(f"loss {loss:.6f} {again:.6f}, recorded {case['loss']:.6f}; the recorded gradients differ by {off:.1e} from unscaled ones")
    off = max((scaled[name] - case[name]).abs().max().item() for name in case if name.startswith("grad."))
    print(f"and by {off:.1e} from scaled ones; factors {factor.unique().tolist()}")
    case.update({name: value for name, value in scaled.items() if name in case})
    save_file(case, file, {"about": "gradient through `selected`, scores of tokens drawn by chance for all that could be; "
                                    "starts and ends among all tokens that are no padding"})


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
