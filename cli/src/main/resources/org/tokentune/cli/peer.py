"""A training step of transformers' BERT or Llama in PyTorch, for `tokentune bench --peer`: float32, no dropout, SGD.

Reads a line of JSON with the sizes; then makes a step for every line "step" and prints its milliseconds, and for "peak" prints
the most bytes that were live above the weights in a step.
"""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch
import transformers
from torch.profiler import ProfilerActivity, profile

sizes = json.loads(sys.stdin.readline())
torch.manual_seed(0)
shape = (sizes["batch"], sizes["length"])
common = dict(
    vocab_size=sizes["words"], hidden_size=sizes["hidden"], num_hidden_layers=sizes["layers"],
    num_attention_heads=sizes["heads"], intermediate_size=sizes["inner"], attn_implementation="sdpa")
ids = torch.randint(5, sizes["words"], shape)
data = dict(input_ids=ids, attention_mask=torch.ones_like(ids))
if sizes["decoder"]:
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(max_position_embeddings=sizes["length"], **common))
    data.update(labels=ids, use_cache=False)
else:
    model = transformers.BertForSequenceClassification(transformers.BertConfig(
        num_labels=2, max_position_embeddings=512, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **common))
    for parameter in model.bert.embeddings.parameters():
        parameter.requires_grad = False
    data.update(labels=torch.randint(0, 2, shape[:1]))
model.train()
optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1e-4)


def step():
    model(**data).loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def peak():
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        step()
    events = [(e.start_ns(), e.nbytes()) for e in profiled.profiler.kineto_results.events() if e.name() == "[memory]"]
    live = most = 0
    for _, size in sorted(events, key=lambda event: event[0]):
        live += size
        most = max(most, live)
    return most


print(f"PyTorch {torch.__version__}, transformers {transformers.__version__}, {torch.get_num_threads()} threads", flush=True)
for line in sys.stdin:
    begin = time.perf_counter()
    if line.strip() == "peak":
        print(peak(), flush=True)
    else:
        step()
        print((time.perf_counter() - begin) * 1e3, flush=True)
