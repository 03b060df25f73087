"""What saved.sh runs: `make WORK GGUF` writes small models with random weights, data, and what tokentune is to do with them;
`load WORK` loads what it saved and compares; `table WORK` prints the comparisons."""
import json
import os
import shutil
import sys
import warnings

warnings.filterwarnings("ignore")
import torch
import transformers

transformers.logging.set_verbosity_error()
TOLERANCE = 1e-5
PROMPT = "the king of France"
WORDS = "the king of France has a caf\u00e9; who would have thought it, said the queen in 1848. Don't!  Two  spaces\n\ta tab "
TEXTS = ["The King of France", "CAF\u00c9 na\u00efve \u5317\u4eac 12345", "  two  spaces \n\n a line\t", "", "it's [MASK] <mask> </s> <|endoftext|> or <s> not",
         "\u2581a e\u0301 \U0001f600", "Don't I'LL 'S", "[CLS] x [SEP]", " leading", "trailing  "]
LINES = [WORDS, WORDS.upper(), WORDS.title()] * 50
SMALL = dict(hidden_size=32, intermediate_size=48, num_attention_heads=4, num_hidden_layers=2, max_position_embeddings=130)
DECODER = dict(SMALL, num_key_value_heads=2)

# ---- What is saved

TASKS = {"classify": "rows.jsonl", "regress": "numbers.jsonl", "multilabel": "labels.jsonl", "token": "tags.jsonl", "qa": "questions.json",
         "lm": "text.txt", "instruct": "instructions.jsonl"}
ENCODERS = {"bert": "query+value", "roberta": "query+value", "distilbert": "q_lin+v_lin"}
DECODERS = {"gpt2": "c_attn+c_proj", "llama": "q_proj+v_proj", "mistral": "q_proj+v_proj", "qwen2": "q_proj+v_proj"}
NAMES = {"bert": "BERT", "roberta": "RoBERTa", "distilbert": "DistilBERT", "gpt2": "GPT-2", "llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2"}
POOLINGS = ["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", "mean-dense-normalize"]


def saves():
    """Of each its group (a row of the table), name, base, task, and options of the training."""
    for family in ENCODERS:
        for task in list(TASKS)[:5]:
            yield f"{NAMES[family]}, whole: classes, a number, labels, tags, answers", f"{family}-{task}", family, task, []
    for family, targets in ENCODERS.items():
        for bias in ("none", "all", "lora_only"):
            group = f"{NAMES[family]}, adapters: classes"
            lora = f"r=3,alpha=7,bias={bias},targets={targets}"
            yield f"{group}, bias {bias}", f"{family}-lora-{bias}", family, "classify", ["--lora", lora]
            yield f"{group}, merged", f"{family}-merged-{bias}", family, "classify", ["--lora", lora, "--merge"]
        for task in list(TASKS)[1:5]:
            yield f"{NAMES[family]}, adapters: a number, labels, tags, answers; all layers", f"{family}-lora-{task}", family, task, ["--lora", "r=3,bias=all"]
    for family, targets in DECODERS.items():
        yield f"{NAMES[family]}, whole: text, instructions", f"{family}-lm", family, "lm", []
        yield f"{NAMES[family]}, whole: text, instructions", f"{family}-instruct", family, "instruct", []
        for bias in ("none", "all", "lora_only"):
            lora = f"r=3,alpha=7,bias={bias},targets={targets}"
            yield f"{NAMES[family]}, adapters, bias {bias}", f"{family}-lora-{bias}", family, "lm", ["--lora", lora]
            yield f"{NAMES[family]}, adapters, merged", f"{family}-merged-{bias}", family, "lm", ["--lora", lora, "--merge"]
        yield f"{NAMES[family]}, adapters of instructions", f"{family}-lora-instruct", family, "instruct", ["--lora", "r=2"]
    for base in ("bert", "llama"):
        task = "classify" if base == "bert" else "lm"
        yield "BERT, Llama: rsLoRA", f"{base}-rslora", base, task, ["--lora", "r=3,alpha=7,rslora,bias=all"]
        yield "BERT, Llama: rsLoRA, merged", f"{base}-rslora-merged", base, task, ["--lora", "r=3,alpha=7,rslora,bias=all", "--merge"]
        yield "BERT, Llama: LoRA-FA, weights in 4 and 16 bits", f"{base}-fa", base, task, ["--lora", "r=3,freeze-a"]
        yield "BERT, Llama: LoRA-FA, weights in 4 and 16 bits", f"{base}-nf4", base, task, ["--lora", "r=3", "--weights", "nf4"]
        yield "BERT, Llama: LoRA-FA, weights in 4 and 16 bits", f"{base}-in-bf16", base, task, ["--lora", "r=3", "--weights", "bf16"]
    for base in ("bert-bfloat16", "llama-bfloat16", "llama-float16"):
        task = "classify" if base.startswith("bert") else "lm"
        yield "bases in bfloat16 and float16, whole", base, base, task, []
        yield "bases in bfloat16 and float16, adapters", base + "-lora", base, task, ["--lora", "r=3,bias=all"]
        yield "bases in bfloat16 and float16, merged", base + "-merged", base, task, ["--lora", "r=3,bias=all", "--merge"]
    for base in ("llama-tied", "llama-tied-but-own-head", "qwen2-tied", "gpt2-untied"):
        yield "tied and untied heads, whole", base, base, "lm", []
        yield "tied and untied heads, adapters", base + "-lora", base, "lm", ["--lora", "r=3,bias=all"]
    for base in ("llama-linear", "llama-llama3"):
        yield f"rotary positions, {base[6:]}", base, base, "lm", []
        yield f"rotary positions, {base[6:]}, adapters", base + "-lora", base, "lm", ["--lora", "r=3"]
    for base in ("llama-biases", "llama-wide-heads", "gguf"):
        yield {"llama-biases": "Llama with biases", "llama-wide-heads": "Llama with heads of another width", "gguf": "Llama from a .gguf"}[base], base, base, "lm", []
    for base in ("bert-plain", "bert-vocab", "bert-vocab-plain", "roberta-plain"):
        yield "tokenizers with other settings or none", base, base, "classify", []
    for base in ("gpt2-plain", "llama-plain", "llama-nobos"):
        yield "tokenizers with other settings or none", base, base, "lm", []
    yield "tokenizers with other settings or none, adapters", "bert-vocab-lora", "bert-vocab", "classify", ["--lora", "r=3"]
    yield "tokenizers with other settings or none, adapters", "llama-nobos-lora", "llama-nobos", "lm", ["--lora", "r=3"]
    for pooling in POOLINGS:
        yield "sentence encoders of every pooling", "sentence-" + pooling, "sentence-" + pooling, "classify", []
        yield "sentence encoders of every pooling, merged", "sentence-merged-" + pooling, "sentence-" + pooling, "classify", ["--lora", "r=3", "--merge"]


def whole(options):
    return "--lora" not in options or "--merge" in options


def command(work, name, base, options):
    """The commands whose results are compared with Python's."""
    where = ["--model", f"{work}/saved/{name}"] if whole(options) else ["--model", path(work, base), "--adapter", f"{work}/saved/{name}"]
    return where + ["--json", f"{work}/ours/{name}.json"]


def path(work, base):
    return f"{work}/bases/gguf.gguf" if base == "gguf" else f"{work}/bases/{base}"


# ---- Bases and data

def word_piece():
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=False)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return t


def byte_level(special):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    t.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False))
    return t


def roberta():
    from tokenizers import AddedToken, processors
    t = byte_level(["<s>", "<pad>", "</s>", "<unk>"])
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return t


def gpt2():
    from tokenizers import processors
    t = byte_level(["<|endoftext|>"])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def llama(bos=True):
    """SentencePiece's kind: spaces are written as U+2581, and what has no token as bytes."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    special = ["<unk>", "<s>", "</s>"]
    t.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=200, special_tokens=special, show_progress=False))
    first, second, specials = ("<s> ", " <s>:1", [("<s>", 1)]) if bos else ("", "", [])
    t.post_processor = processors.TemplateProcessing(single=first + "$A", pair=first + "$A" + second + " $B:1", special_tokens=specials)
    t.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    j = json.loads(t.to_str())
    j["model"]["byte_fallback"] = True
    for byte in range(256):
        j["model"]["vocab"]["<0x%02X>" % byte] = len(j["model"]["vocab"])
    return Tokenizer.from_str(json.dumps(j))


def make(work, gguf):
    for folder in ("bases", "saved", "ours"):
        os.mkdir(f"{work}/{folder}")
    make_bases(f"{work}/bases")
    shutil.copy(gguf, path(work, "gguf"))
    make_data(work)
    tokenizers = {}
    with open(f"{work}/commands.jsonl", "w") as f:
        for _, name, base, task, options in saves():
            tokenizers[name] = f"{work}/saved/{name}" if whole(options) else path(work, base)
            short = {"lm": ["--max-length", "24"], "qa": ["--max-length", "24"], "instruct": ["--max-length", "64", "--template", "plain"]}.get(task, [])
            settings = ["--task", task, "--data", f"{work}/{TASKS[task]}", "--steps", "6", "--learning-rate", "1e-2", "--batch-size", "4"]
            commands = [["train", "--model", path(work, base), "--output", f"{work}/saved/{name}"] + settings + short + options]
            if task in ("classify", "regress", "multilabel"):
                commands.append(["predict", "--input", f"{work}/inputs.jsonl"] + command(work, name, base, options))
            if task in ("lm", "instruct"):
                commands.append(["generate", "--prompt", PROMPT, "--temperature", "0", "--max-tokens", "12"] + command(work, name, base, options))
            if name.startswith("sentence"):
                commands[1] = ["embed", "--input", f"{work}/inputs.jsonl"] + command(work, name, base, options)
            f.writelines(json.dumps(c) + "\n" for c in commands)
    json.dump(tokenizers, open(f"{work}/tokenizers.json", "w"))
    json.dump(TEXTS, open(f"{work}/texts.json", "w"))


def make_bases(out):
    def save(name, model, tokenizer, settings, vocabulary=False, dtype=torch.float32):
        folder = os.path.join(out, name)
        model.to(dtype).save_pretrained(folder)
        j = json.loads(tokenizer.to_str())
        if j["model"].get("merges") and not isinstance(j["model"]["merges"][0], str):
            j["model"]["merges"] = [" ".join(pair) for pair in j["model"]["merges"]]  # as older versions of the library read them
        if settings is not None:
            json.dump(settings, open(folder + "/tokenizer_config.json", "w"))
        if vocabulary:
            ids = j["model"]["vocab"]
            with open(folder + "/vocab.txt", "w", encoding="utf-8") as f:
                f.write("".join(t + "\n" for t in sorted(ids, key=ids.get)))
        else:
            json.dump(j, open(folder + "/tokenizer.json", "w"))

    torch.manual_seed(1)
    pieces, of_roberta, of_gpt2, of_llama = word_piece(), roberta(), gpt2(), llama()
    size = lambda t: dict(vocab_size=t.get_vocab_size())
    named = {"tokenizer_class": "BertTokenizer", "do_lower_case": False}
    wide = dict(SMALL, initializer_range=0.2)  # else random models have nearly the same scores for all texts
    bert = lambda: transformers.BertModel(transformers.BertConfig(**size(pieces), **wide))
    save("bert", bert(), pieces, named)
    save("bert-bfloat16", bert(), pieces, named, dtype=torch.bfloat16)
    save("bert-plain", bert(), pieces, None)
    save("bert-vocab", bert(), pieces, {"do_lower_case": False, "strip_accents": True}, True)
    save("bert-vocab-plain", bert(), pieces, None, True)
    make_sentence_encoders(out)
    distilbert = transformers.DistilBertConfig(**size(pieces), dim=32, hidden_dim=48, n_heads=4, n_layers=2, max_position_embeddings=130, initializer_range=0.2)
    save("distilbert", transformers.DistilBertModel(distilbert), pieces, {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": False})
    model = lambda: transformers.RobertaModel(transformers.RobertaConfig(**size(of_roberta), type_vocab_size=1, **wide))
    save("roberta", model(), of_roberta, {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True})
    save("roberta-plain", model(), of_roberta, None)
    model = lambda **more: transformers.GPT2LMHeadModel(transformers.GPT2Config(**size(of_gpt2), n_embd=32, n_layer=2, n_head=4, n_positions=130, initializer_range=0.2,
                                                                                bos_token_id=0, eos_token_id=0, **more))
    end = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    save("gpt2", model(), of_gpt2, {"tokenizer_class": "GPT2Tokenizer", "pad_token": "[PAD]", **end})
    save("gpt2-untied", model(tie_word_embeddings=False), of_gpt2, {"tokenizer_class": "GPT2Tokenizer", **end})
    save("gpt2-plain", model(), of_gpt2, None)
    decoder = dict(DECODER, initializer_range=0.2)
    for name, tied in (("qwen2", False), ("qwen2-tied", True)):
        config = transformers.Qwen2Config(**size(of_gpt2), **decoder, bos_token_id=0, eos_token_id=0, tie_word_embeddings=tied)
        save(name, transformers.Qwen2ForCausalLM(config), of_gpt2, {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"})
    special = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    model = lambda **more: transformers.LlamaForCausalLM(transformers.LlamaConfig(**size(of_llama), **dict(decoder, **more)))
    save("llama", model(), of_llama, special)
    save("llama-plain", model(), of_llama, None)
    save("llama-nobos", model(), llama(bos=False), None)
    save("llama-bfloat16", model(), of_llama, special, dtype=torch.bfloat16)
    save("llama-float16", model(), of_llama, special, dtype=torch.float16)
    save("llama-tied", model(tie_word_embeddings=True), of_llama, special)
    save("llama-tied-but-own-head", model(), of_llama, special)
    flag(f"{out}/llama-tied-but-own-head", tie_word_embeddings=True)
    save("llama-biases", model(attention_bias=True, mlp_bias=True), of_llama, special)
    save("llama-wide-heads", model(head_dim=16), of_llama, special)
    save("llama-linear", model(rope_parameters=dict(rope_type="linear", factor=2.0, rope_theta=1000.0)), of_llama, special)
    save("llama-llama3", model(rope_parameters=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32,
                                                    rope_theta=1000.0)), of_llama, special)
    mistral = transformers.MistralConfig(**size(of_llama), **decoder, sliding_window=5)
    save("mistral", transformers.MistralForCausalLM(mistral), of_llama, special)


def flag(folder, **fields):
    config = json.load(open(folder + "/config.json"))
    json.dump(dict(config, **fields), open(folder + "/config.json", "w"))


def make_sentence_encoders(out):
    from sentence_transformers import SentenceTransformer, models
    for pooling in POOLINGS:
        kind, *more = pooling.split("-")
        modules = [models.Transformer(f"{out}/bert", max_seq_length=20), models.Pooling(32, pooling_mode=kind)]
        if "dense" in more:
            modules.append(models.Dense(32, 12))
        if "normalize" in more:
            modules.append(models.Normalize())
        SentenceTransformer(modules=modules, prompts={"query": "who: "}, device="cpu").save(f"{out}/sentence-{pooling}")


def make_data(work):
    def lines(name, rows):
        with open(f"{work}/{name}", "w", encoding="utf-8") as f:
            f.writelines(json.dumps(row) + "\n" for row in rows)

    some = lambda i, n=5: " ".join(WORDS.split()[(i + k) % 18] for k in range(n))
    lines("inputs.jsonl", [dict(text=t) for t in TEXTS if t])
    lines("rows.jsonl", [dict(text=some(i), label="bad good so-so".split()[i % 3]) for i in range(24)])
    lines("numbers.jsonl", [dict(text=some(i), label=i % 7 / 2 - 1) for i in range(24)])
    lines("labels.jsonl", [dict(text=some(i), label=["a", "b, c", "d"][i % 3:][:2]) for i in range(24)])
    lines("tags.jsonl", [dict(text=some(i), label="O B-X I-X O B-Y") for i in range(24)])
    lines("instructions.jsonl", [dict(instruction=some(i, 2), output=some(i + 3, 3)) for i in range(24)])
    answers = lambda i: [dict(text=some(i).split()[2], answer_start=len(" ".join(some(i).split()[:2])) + 1)]
    questions = [dict(context=some(i), qas=[dict(id=str(i), question=some(i + 2, 2), answers=answers(i))]) for i in range(12)]
    json.dump(dict(version="1.1", data=[dict(title="t", paragraphs=questions)]), open(f"{work}/questions.json", "w"))
    with open(f"{work}/text.txt", "w", encoding="utf-8") as f:
        f.write(WORDS * 20)


# ---- What Python makes of it

def load(work):
    theirs = {}
    ours = json.load(open(f"{work}/ids.json"))
    loaded = {}
    for _, name, base, task, options in saves():
        folder = f"{work}/saved/{name}"
        if not os.path.exists(folder):
            continue
        row = theirs[name] = {"by": by(options)}
        try:
            model = load_model(work, name, base, task, options)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            ids = [tokenizer(x)["input_ids"] for x in TEXTS]
            row["ids"] = [x for x, a, b in zip(TEXTS, ours[name], ids) if a != b]
            case(f"{folder}/case-{transformers.__version__}.safetensors", model, task)
            if os.path.exists(f"{work}/ours/{name}.json"):
                result = json.load(open(f"{work}/ours/{name}.json"))
                if "ids" in result:
                    greedy = generate(model, tokenizer, len(result["ids"]))
                    row["ids"] += [f"generated {greedy}, not {result['ids']}"] if greedy != result["ids"] else []
                elif "predictions" in result:
                    row["predict"] = scores(model, tokenizer, result["predictions"], task)
                elif transformers.__version__ > "5":
                    row["embed"] = vectors(folder, result["embeddings"])
        except Exception as e:
            row["error"] = f"{type(e).__name__}: {str(e)[:300]}"
    json.dump(theirs, open(f"{work}/loaded-{transformers.__version__}.json", "w"))


def by(options):
    if whole(options):
        return "transformers " + transformers.__version__
    import peft
    return "PEFT " + peft.__version__


def load_model(work, name, base, task, options):
    folder = f"{work}/saved/{name}"
    kind = {"token": transformers.AutoModelForTokenClassification, "qa": transformers.AutoModelForQuestionAnswering, "lm": transformers.AutoModelForCausalLM,
            "instruct": transformers.AutoModelForCausalLM}.get(task, transformers.AutoModelForSequenceClassification)
    if whole(options):
        return kind.from_pretrained(folder).eval()
    import peft
    settings = json.load(open(folder + "/adapter_config.json"))
    more = {}
    if os.path.exists(folder + "/config.json"):
        config = json.load(open(folder + "/config.json"))
        more = {k: config[k] for k in ("problem_type",) if k in config}
        if "id2label" in config:
            more.update(id2label={int(i): x for i, x in config["id2label"].items()}, label2id=config["label2id"])
    # Adapters trained on floats of 32 bits; transformers 5 would compute in the 16 of the file.
    model = kind.from_pretrained(settings["base_model_name_or_path"], torch_dtype=torch.float32, **more)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = peft.PeftModel.from_pretrained(model, folder).eval()
    for x in said:
        if "adapter keys" in str(x.message):
            raise ValueError(str(x.message))
    return model.get_base_model()  # PEFT's own forward loses the token types of questions


def case(file, model, task):
    """Inputs and logits, as ./tokentune parity compares them."""
    from safetensors.torch import save_file
    config = model.config
    torch.manual_seed(7)
    ids = torch.randint(5, config.vocab_size, (2, 12))
    inputs = {"input_ids": ids}
    if task not in ("lm", "instruct"):
        inputs["attention_mask"] = torch.ones_like(ids)
        inputs["attention_mask"][1, 9:] = 0
        if getattr(config, "type_vocab_size", 0) > 1:
            inputs["token_type_ids"] = (torch.arange(12) > 6).long().repeat(2, 1)
    with torch.no_grad():
        out = model(**inputs)
    logits = torch.stack([out.start_logits, out.end_logits], 2) if task == "qa" else out.logits
    count = logits.shape[-1]
    labels = {"classify": torch.zeros(2).long(), "regress": torch.zeros(2), "multilabel": torch.zeros(2, count), "token": torch.zeros_like(ids),
              "qa": torch.zeros(2, 2).long()}.get(task, ids)
    save_file({k: v.clone().contiguous() for k, v in dict(inputs, labels=labels, logits=logits).items()}, file)


def generate(model, tokenizer, count):
    prompt = tokenizer(PROMPT, return_tensors="pt").input_ids
    with torch.no_grad():
        return model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=12)[0, prompt.shape[1]:].tolist()[:count]


def scores(model, tokenizer, predictions, task):
    worst = 0
    for prediction in predictions:
        with torch.no_grad():
            logits = model(**tokenizer(prediction["text"], return_tensors="pt")).logits[0]
        theirs = {"classify": logits.softmax(-1), "multilabel": logits.sigmoid(), "regress": logits}[task].tolist()
        mine = prediction["scores"]
        names = model.config.id2label
        mine = list(mine.values()) if task == "regress" else [mine[names[i]] for i in range(len(theirs))]
        worst = max([worst] + [abs(a - b) for a, b in zip(mine, theirs)])
    return worst


def vectors(folder, embeddings):
    from sentence_transformers import SentenceTransformer
    model = SentenceTransformer(folder, device="cpu")
    theirs = model.encode([e["text"] for e in embeddings])
    return max(abs(a - b) for e, t in zip(embeddings, theirs.tolist()) for a, b in zip(e["vector"], t)) / abs(theirs).max().item()


# ---- The table

def table(work):
    parity = json.load(open(f"{work}/parity.json"))["cases"]
    versions = [f[len("loaded-"):-len(".json")] for f in sorted(os.listdir(work), reverse=True) if f.startswith("loaded-")]
    rows, faults = {}, []
    for version in versions:
        results = json.load(open(f"{work}/loaded-{version}.json"))
        for group, name, *_ in saves():
            result = results.get(name, {"by": "", "error": "not saved"})
            keys = [(group, result["by"], False)]
            logits = parity.get(f"{work}/saved/{name}/case-{version}.safetensors", {}).get("logits")
            differences = [logits, result.get("predict")]
            if "embed" in result:
                rows.setdefault((group, "sentence-transformers", False), []).append(([result["embed"]], result))
            rows.setdefault(keys[0], []).append((differences, result))
            known = [d for d in differences + [result.get("embed")] if d is not None]
            if "error" in result or result["ids"] or logits is None or not max(known) <= TOLERANCE:
                faults.append(f"{name}, {result['by']}: {result.get('error', '')} {result.get('ids', '')} {known}")
    print("| what was saved | loaded by | greatest difference | ids equal |\n|---|---|---|---|")
    for (group, loader, _), all in rows.items():
        known = [d for differences, result in all for d in differences if d is not None and "error" not in result]
        failed = sum("error" in result for _, result in all)
        equal = all_equal = not any(result.get("ids") for _, result in all)
        print(f"| {group} | {loader} | {max(known):.1e}" if known else f"| {group} | {loader} | ", end="")
        print(f"{failed} of {len(all)} not loaded" if failed else "", f"| {'yes' if equal else 'no'} |")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit({"make": make, "load": load, "table": table}[sys.argv[1]](*sys.argv[2:]))
