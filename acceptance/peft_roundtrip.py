"""What acceptance/peft_roundtrip.sh needs of Python.

    python peft_roundtrip.py prepare BASES DIR    copies the bases of peft_fixtures.py, gives each a tokenizer, and makes training data
    python peft_roundtrip.py score DIR NAME...    loads the adapters DIR/NAME in PEFT and writes DIR/NAME/case.safetensors: inputs,
                                                  logits, loss; where there is DIR/NAME-merged, compares its logits too
"""
import json
import os
import shutil
import sys
import warnings

warnings.filterwarnings("ignore")
import torch
import transformers
from peft import PeftModel
from safetensors.torch import save_file

transformers.logging.set_verbosity_error()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ORDERS = {"roberta": ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]}


def tokenizer(base):
    names = ORDERS.get(base, SPECIAL) + ["w%d" % i for i in range(5, 32)]
    vocabulary = {name: i for i, name in enumerate(names)}
    around = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    pair = around + [{"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    processor = {"type": "TemplateProcessing", "single": around, "pair": pair,
                 "special_tokens": {x: {"id": x, "ids": [vocabulary[x]], "tokens": [x]} for x in ("[CLS]", "[SEP]")}}
    return {"version": "1.0", "truncation": None, "padding": None, "normalizer": None, "decoder": None,
            "added_tokens": [dict(id=vocabulary[x], content=x, special=True, single_word=False, lstrip=False, rstrip=False, normalized=False) for x in SPECIAL],
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": None if base in ("gpt2", "llama", "llama-tied") else processor,
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}}


def prepare(bases, out):
    for base in ("bert", "roberta", "distilbert", "encoder", "gpt2", "llama", "llama-tied"):
        shutil.copytree(f"{bases}/{base}", f"{out}/{base}")
        json.dump(tokenizer(base), open(f"{out}/{base}/tokenizer.json", "w"))
        names = dict(pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
        json.dump(dict(tokenizer_class="PreTrainedTokenizerFast", **names), open(f"{out}/{base}/tokenizer_config.json", "w"))
    words = lambda i, n: " ".join("w%d" % (5 + (7 * i + 3 * k) % 27) for k in range(n))
    with open(f"{out}/classes.csv", "w") as f:
        f.write("text,label\n" + "".join(f"{words(i, 3 + i % 4)},{'abc'[i % 3]}\n" for i in range(24)))
    with open(f"{out}/tags.jsonl", "w") as f:
        f.writelines(json.dumps(dict(text=words(i, 4), label="B I O X")) + "\n" for i in range(24))
    with open(f"{out}/text.txt", "w") as f:
        f.write(words(0, 400) + "\n")
    questions = [dict(question=words(i, 2), id=str(i), answers=[dict(text=words(i, 6).split()[2], answer_start=words(i, 6).index(words(i, 6).split()[2]))]) for i in range(12)]
    with open(f"{out}/questions.json", "w") as f:
        json.dump(dict(version="1.1", data=[dict(title="t", paragraphs=[dict(context=words(i, 6), qas=[q]) for i, q in enumerate(questions)])]), f)


def run(model, labels):
    torch.manual_seed(7)
    ids = torch.randint(5, 32, (2, 7))
    inputs = {"input_ids": ids}
    if labels == "spans":
        inputs.update(start_positions=torch.tensor([1, 2]), end_positions=torch.tensor([3, 2]))
    else:
        inputs["labels"] = ids if labels == "tokens" else torch.randint(0, model.config.num_labels, (2, 7) if labels == "tags" else (2,))
    model.eval()
    with torch.no_grad():
        out = model(**inputs)
    logits = torch.stack([out.start_logits, out.end_logits], 2) if labels == "spans" else out.logits
    given = torch.stack([inputs["start_positions"], inputs["end_positions"]], 1) if labels == "spans" else inputs["labels"]
    return {k: v.clone().contiguous() for k, v in dict(input_ids=ids, labels=given, logits=logits, loss=out.loss).items()}


def score(out, names):
    for name in names:
        folder = f"{out}/{name}"
        settings = json.load(open(folder + "/adapter_config.json"))
        beside = os.path.exists(folder + "/config.json")
        config = json.load(open((folder if beside else settings["base_model_name_or_path"]) + "/config.json"))
        labels = {"SEQ_CLS": "classes", "TOKEN_CLS": "tags", "QUESTION_ANS": "spans", "CAUSAL_LM": "tokens"}[settings["task_type"]]
        kind = getattr(transformers, config["architectures"][0])
        more = dict(num_labels=len(config["id2label"])) if labels in ("classes", "tags") else {}
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            base = kind.from_pretrained(settings["base_model_name_or_path"], **more)
            model = PeftModel.from_pretrained(base, folder)
        for x in said:
            if "adapter keys" in str(x.message):
                print(f"{name}: {x.message}")
        case = run(model, labels)
        save_file(case, folder + "/case.safetensors")
        if os.path.isdir(folder + "-merged"):
            merged = run(kind.from_pretrained(folder + "-merged"), labels)
            gap = (merged["logits"] - case["logits"]).abs().max() / case["logits"].abs().max()
            print(f"{name + ', merged':34} {gap:.1e}")


prepare(*sys.argv[2:]) if sys.argv[1] == "prepare" else score(sys.argv[2], sys.argv[3:])
