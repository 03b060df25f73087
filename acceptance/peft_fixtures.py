"""Makes the test resources of AdapterFormatsTest: tiny base models, adapters on them, and the outputs that Python's PEFT computes.

    python acceptance/peft_fixtures.py tokentune-samediff/src/test/resources/peft [FOLDER...]

Needs torch, transformers and peft. The existing folders were made with versions 2.15.0, 5.24.0 and 0.21.2; folders whose names begin
with old- were made with 2.3.1, 4.36.0 and 0.5.0 or 0.10.0. Each version of PEFT makes only its own folders. A folder of adapters has PEFT's
two files, case.safetensors (inputs, logits, loss) and in some cases merged.safetensors (the base model's weights that PEFT changes when it
merges). Logits are those of the adapters after PEFT has loaded them again.
"""
import json
import os
import shutil
import sys
import warnings

warnings.filterwarnings("ignore")
import peft
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import *

transformers.logging.set_verbosity_error()
torch.set_num_threads(1)
VERSION = ".".join(peft.__version__.split(".")[:2])
NEW = "0.21"
OUT, CHOSEN = sys.argv[1], sys.argv[2:]
SMALL = dict(vocab_size=32, hidden_size=16, intermediate_size=24, num_attention_heads=2, initializer_range=.3)
LLAMA = dict(SMALL, num_hidden_layers=2, num_key_value_heads=1, max_position_embeddings=32)
ENCODER = dict(SMALL, num_hidden_layers=1, max_position_embeddings=18, num_labels=3)
MERGED = ("patterns-rslora", "bias-lora-only", "tied-table", "kept-tied-both", "gpt2-all", "bert-bias-all")
CLASSIFIER, LANGUAGE = dict(task_type="SEQ_CLS"), dict(task_type="CAUSAL_LM")


def chosen(name):
    return not CHOSEN or name in CHOSEN


def moved(parameters, seed, scale):
    torch.manual_seed(seed)
    with torch.no_grad():
        for x in parameters:
            if x.requires_grad:
                x.add_(torch.randn_like(x) * scale)


def base(name, model):
    """Saves a base model whose norms and biases affect the outputs."""
    if VERSION != NEW or not chosen(name):
        return
    moved(model.parameters(), 3, .1)
    model.save_pretrained(f"{OUT}/{name}")
    path = f"{OUT}/{name}/generation_config.json"
    if os.path.exists(path):
        os.remove(path)


def run(model, labels):
    """Logits and loss, with labels of the given kind."""
    torch.manual_seed(7)
    ids = torch.randint(5, 32, (2, 7))
    inputs = {"input_ids": ids}
    classes = getattr(model.config, "num_labels", 2)
    if labels == "tokens":
        inputs["labels"] = ids.clone()
    elif labels == "classes":
        inputs["labels"] = torch.tensor([[.5], [-1.]]) if classes == 1 else torch.tensor([1, 0])
    elif labels == "tags":
        inputs["labels"] = torch.randint(0, classes, (2, 7))
    elif labels == "spans":
        inputs["start_positions"], inputs["end_positions"] = torch.tensor([1, 2]), torch.tensor([3, 2])
    model.eval()
    with torch.no_grad():
        out = model(**inputs)
    case = {"input_ids": ids}
    if labels == "spans":
        case["labels"] = torch.stack([inputs["start_positions"], inputs["end_positions"]], 1)
        case["logits"] = torch.stack([out.start_logits, out.end_logits], 2)
    else:
        case["labels"] = inputs["labels"]
        case["logits"] = out.logits
    case["loss"] = out.loss
    return {k: v.contiguous() for k, v in case.items()}


def adapter(name, on, kind, labels, version=NEW, change=None, tables=False, load=None, **settings):
    """Makes adapters on a base model, and changes every trained number.

    version: of PEFT that makes them; change: of the configuration's file; load: of the base as transformers loads it; tables: moved and saved, though not in modules_to_save
    """
    if VERSION != version or not chosen(name):
        return
    torch.manual_seed(4)
    settings = dict(dict(r=2, lora_alpha=5), **settings)
    model = get_peft_model(kind.from_pretrained(f"{OUT}/{on}", **(load or {})), LoraConfig(**settings))
    moved(model.parameters(), 5, .1)
    if tables:
        for module in (model.get_input_embeddings(), model.get_output_embeddings()):
            moved([module.weight.requires_grad_()], 6, .1)
    folder = f"{OUT}/{name}"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, **(dict(save_embedding_layers=True) if tables else dict() if VERSION == NEW else dict(safe_serialization=False)))
    if not os.path.exists(folder + "/adapter_model.safetensors"):  # PEFT's own refuse tensors that share memory
        pickled = folder + "/adapter_model.bin"
        save_file({k: v.clone() for k, v in torch.load(pickled, weights_only=True).items()}, folder + "/adapter_model.safetensors")
        os.remove(pickled)
    config = json.load(open(folder + "/adapter_config.json"))
    config["base_model_name_or_path"] = "../" + on
    config.update(change or {})
    json.dump(config, open(folder + "/adapter_config.json", "w"), indent=1)
    if os.path.exists(folder + "/README.md"):
        os.remove(folder + "/README.md")
    loaded = PeftModel.from_pretrained(kind.from_pretrained(f"{OUT}/{on}", **(load or {})), folder)
    case, live = run(loaded, labels), run(model, labels)
    gap = (case["logits"] - live["logits"]).abs().max().item()
    save_file(case, folder + "/case.safetensors")
    if name in MERGED:
        before = kind.from_pretrained(f"{OUT}/{on}", **(load or {})).state_dict()
        after = loaded.merge_and_unload()
        merged = {k: v for k, v in after.state_dict().items() if not torch.equal(v, before[k])}
        if after.get_output_embeddings() is not None and after.get_output_embeddings().weight is after.get_input_embeddings().weight:
            merged.pop("lm_head.weight", None)
        save_file({k: v.contiguous().clone() for k, v in merged.items()}, folder + "/merged.safetensors")
    print(f"{name}: {len(load_file(folder + '/adapter_model.safetensors'))} tensors; loaded again, logits differ by {gap:.1e}")


def main():
    L, Q = LlamaForCausalLM, ["q_proj", "v_proj"]
    base("llama", L(LlamaConfig(**LLAMA, attention_bias=True)))
    base("llama-tied", L(LlamaConfig(**LLAMA, tie_word_embeddings=True)))
    base("gpt2", GPT2LMHeadModel(GPT2Config(vocab_size=32, n_embd=16, n_layer=1, n_head=2, n_positions=16, initializer_range=.3)))
    base("bert", BertForSequenceClassification(BertConfig(**ENCODER)))
    base("roberta", RobertaForSequenceClassification(RobertaConfig(**ENCODER, type_vocab_size=1)))
    base("distilbert", DistilBertForSequenceClassification(DistilBertConfig(
        vocab_size=32, dim=16, hidden_dim=24, n_layers=1, n_heads=2, max_position_embeddings=18, num_labels=3, initializer_range=.3)))
    base("encoder", BertForPreTraining(BertConfig(**{k: v for k, v in ENCODER.items() if k != "num_labels"})))

    def llama(name, on="llama", **settings):
        adapter(name, on, L, "tokens", **dict(dict(target_modules=Q), **LANGUAGE, **settings))

    # what is adapted, by initialisations that leave the base as it is
    llama("plain")
    llama("exclude", exclude_modules=["layers.0.self_attn.q_proj"], init_lora_weights="gaussian")
    llama("exclude-regex", exclude_modules=r".*layers\.1\..*v_proj", init_lora_weights="orthogonal")
    llama("layers", layers_to_transform=[1], layers_pattern="layers", change={"init_lora_weights": "eva"})
    llama("regex", target_modules=r".*\.1\.mlp\.(up|down)_proj", init_lora_weights="mica")
    llama("all-linear", target_modules="all-linear", use_rslora=True, init_lora_weights=False)
    # ranks and alphas by layer: of two patterns that match, the first in the file counts
    patterns = dict(rank_pattern={"layers.0.self_attn.q_proj": 4, "q_proj": 3, r"^model.layers\.1\.self_attn.(k|v)_proj": 1, "_proj": 9, "proj": 7},
                    alpha_pattern={r"layers\.\d+\.self_attn\.v_proj": 3, "model.layers.1.self_attn.v_proj": 11, "self_attn.q_proj": 1})
    llama("patterns", **patterns)
    llama("patterns-rslora", use_rslora=True, **patterns)
    # biases, and modules that train whole
    llama("bias-all", bias="all")
    llama("bias-lora-only", bias="lora_only")
    llama("whole", modules_to_save=["embed_tokens", "lm_head", "norm", "input_layernorm", "k_proj"])
    llama("embeddings", tables=True)
    # a tied table
    for name, modules in (("table", ["embed_tokens"]), ("head", ["lm_head"]), ("both", ["embed_tokens", "lm_head"])):
        llama("tied-" + name, on="llama-tied", modules_to_save=modules)
    llama("kept-tied-both", on="llama-tied", modules_to_save=["embed_tokens", "lm_head"], ensure_weight_tying=True)
    llama("tied-embeddings", on="llama-tied", tables=True)
    # GPT-2, whose weights are [in, out]
    G = GPT2LMHeadModel
    adapter("gpt2-all", "gpt2", G, "tokens", target_modules=["c_attn", "c_proj", "c_fc"], bias="all", rank_pattern={"mlp.c_proj": 4}, **LANGUAGE)
    adapter("gpt2-table", "gpt2", G, "tokens", target_modules=["c_attn"], modules_to_save=["wte", "ln_f"], ensure_weight_tying=True, **LANGUAGE)
    # classifiers
    for family, kind, targets in (("bert", BertForSequenceClassification, ["query", "value"]), ("roberta", RobertaForSequenceClassification, ["query", "value"]),
                                  ("distilbert", DistilBertForSequenceClassification, ["q_lin", "v_lin"])):
        adapter(f"{family}-bias-all", family, kind, "classes", target_modules=targets, bias="all", **CLASSIFIER)
    adapter("bert-bias-lora-only", "bert", BertForSequenceClassification, "classes", target_modules=["query", "value"], bias="lora_only", **CLASSIFIER)
    for family, kind in (("bert", BertForSequenceClassification), ("roberta", RobertaForSequenceClassification)):
        adapter(f"{family}-all-linear", family, kind, "classes", target_modules="all-linear", **CLASSIFIER)
    adapter("distilbert-linear", "distilbert", DistilBertForSequenceClassification, "classes", target_modules=["q_lin", "out_lin", "lin1", "lin2"], **CLASSIFIER)
    adapter("bert-pooler", "bert", BertForSequenceClassification, "classes", target_modules=["query"], modules_to_save=["pooler", "classifier"], **CLASSIFIER)
    adapter("bert-head", "bert", BertForSequenceClassification, "classes", target_modules=["query", "classifier", "pooler.dense"])  # of no task_type
    # on an encoder that has no such head
    adapter("encoder-classes", "encoder", BertForSequenceClassification, "classes", load=dict(num_labels=3), target_modules=["query"], **CLASSIFIER)
    adapter("encoder-number", "encoder", BertForSequenceClassification, "classes", load=dict(num_labels=1), target_modules=["query"], **CLASSIFIER)
    adapter("encoder-tags", "encoder", BertForTokenClassification, "tags", load=dict(num_labels=5), target_modules=["query"], task_type="TOKEN_CLS")
    adapter("encoder-answers", "encoder", BertForQuestionAnswering, "spans", target_modules=["query"], task_type="QUESTION_ANS")
    adapter("encoder-words", "encoder", BertForMaskedLM, "tokens", target_modules=["query", "dense"], bias="all")
    adapter("encoder-words-whole", "encoder", BertForMaskedLM, "tokens", target_modules=["query"], modules_to_save=["cls"])
    adapter("encoder-no-task", "encoder", BertForTokenClassification, "tags", load=dict(num_labels=4), target_modules=["query"], modules_to_save=["classifier"])
    # older versions: of 0.10 a classifier that trains as a whole and is adapted too
    old = dict(CLASSIFIER, version="0.5", target_modules=["query", "value"])
    adapter("old-bert-bias-all", "bert", BertForSequenceClassification, "classes", bias="all", **old)
    adapter("old-bert-lora-only", "bert", BertForSequenceClassification, "classes", bias="lora_only", **old)
    adapter("old-llama-bias-all", "llama", L, "tokens", version="0.5", target_modules=Q, bias="all", modules_to_save=["lm_head"], **LANGUAGE)
    old = dict(CLASSIFIER, version="0.10")
    adapter("old-roberta-dense", "roberta", RobertaForSequenceClassification, "classes", target_modules=["query", "dense"], bias="all", **old)
    adapter("old-distilbert-all-linear", "distilbert", DistilBertForSequenceClassification, "classes", target_modules="all-linear", **old)


main()
