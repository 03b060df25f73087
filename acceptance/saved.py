"""The Python side of saved.sh: `make WORK GGUF` writes small models with random weights, data, and the commands for tokentune;
`load WORK` loads the saved models and compares them; `table WORK` prints the comparisons."""
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
POOLINGS = ["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", "mean-dense-normalize"]


def saves():
    """Of each what it is (a row of the table), its name, base, task, and options of the training."""
    encoders, decoders = "BERT, RoBERTa, DistilBERT", "GPT-2, Llama, Mistral, Qwen2"
    tasks = "classes, numbers, labels, tags, answers"
    for family, targets in ENCODERS.items():
        for task in list(TASKS)[:5]:
            yield f"{encoders}: {tasks}", f"{family}-{task}", family, task, []
        for task in list(TASKS)[1:5]:
            yield f"{encoders}, adapters: {tasks}", f"{family}-lora-{task}", family, task, ["--lora", "r=3,bias=none"]
        yield from biases(encoders, family, "classify", targets)
    for family, targets in DECODERS.items():
        yield f"{decoders}: text, instructions", f"{family}-lm", family, "lm", []
        yield f"{decoders}: text, instructions", f"{family}-instruct", family, "instruct", []
        yield f"{decoders}, adapters: instructions", f"{family}-lora-instruct", family, "instruct", ["--lora", "r=2"]
        yield from biases(decoders, family, "lm", targets)
    for base, task in (("bert", "classify"), ("llama", "lm")):
        yield "rsLoRA", f"{base}-rslora", base, task, ["--lora", "r=3,alpha=7,rslora"]
        yield "rsLoRA, merged", f"{base}-merged-rslora", base, task, ["--lora", "r=3,alpha=7,rslora", "--merge"]
        yield "LoRA-FA; frozen weights in NF4 and bfloat16", f"{base}-fa", base, task, ["--lora", "r=3,freeze-a"]
        for weights in ("nf4", "bf16"):
            yield "LoRA-FA; frozen weights in NF4 and bfloat16", f"{base}-{weights}", base, task, ["--lora", "r=3", "--weights", weights]
    for base, task in (("bert-bfloat16", "classify"), ("llama-bfloat16", "lm"), ("llama-float16", "lm")):
        yield "bases in 16 bits; whole, merged", base, base, task, []
        yield "bases in 16 bits; whole, merged", base + "-merged", base, task, ["--lora", "r=3,bias=all", "--merge"]
        yield "bases in 16 bits; adapters", base + "-lora", base, task, ["--lora", "r=3"]
    for base in ("llama-tied", "llama-tied-but-own-head", "qwen2-tied", "gpt2-untied"):
        yield "heads tied, untied, said to be tied", base, base, "lm", []
        yield "heads tied, untied, said to be tied; adapters", base + "-lora", base, "lm", ["--lora", "r=3"]
    for base in ("llama-linear", "llama-llama3"):
        yield "rotary positions linear, llama3", base, base, "lm", []
        yield "rotary positions linear, llama3; adapters", base + "-lora", base, "lm", ["--lora", "r=3"]
    for base in ("llama-biases", "llama-wide-heads", "gguf"):
        yield "Llama with biases, wide heads, from a .gguf", base, base, "lm", []
    tokenizers = "tokenizers without settings, of vocab.txt, with other rules"
    for base in ("bert-plain", "bert-vocab", "bert-vocab-plain", "roberta-plain"):
        yield tokenizers, base, base, "classify", []
    for base in ("gpt2-plain", "gpt2-digits", "llama-plain", "llama-nobos"):
        yield tokenizers, base, base, "lm", []
    for base, task in (("bert-vocab", "classify"), ("llama-nobos", "lm"), ("gpt2-digits", "lm")):
        yield tokenizers + "; adapters", base + "-lora", base, task, ["--lora", "r=3"]
    for pooling in POOLINGS:
        base = "sentence-" + pooling
        yield "sentence encoders, every pooling; whole, merged", base, base, "classify", []
        yield "sentence encoders, every pooling; whole, merged", base + "-merged", base, "classify", ["--lora", "r=3", "--merge"]


def biases(families, family, task, targets):
    for bias in ("none", "all", "lora_only"):
        lora = f"r=3,alpha=7,bias={bias},targets={targets}"
        yield f"{families}, adapters: bias {bias}", f"{family}-lora-{bias}", family, task, ["--lora", lora]
        yield f"{families}, merged", f"{family}-merged-{bias}", family, task, ["--lora", lora, "--merge"]


def not_read(name, base, options):
    """What transformers 4.36 and PEFT 0.5 know nothing of; None if they should read it."""
    adapters = not whole(options)
    if base.startswith("qwen2"):
        return "Qwen2 (4.37 is the first that has it)"
    if base == "llama-llama3":
        return "rotary positions of type llama3"
    if base == "llama-linear" and adapters:
        return "rope_parameters, in which transformers 5 saved the adapters' base"
    if base == "llama-tied-but-own-head" and adapters:
        return "a base with a head of its own whose configuration says it is tied"
    if base == "llama-biases":
        return "mlp_bias"
    if base == "llama-wide-heads":
        return "head_dim"
    if adapters and "rslora" in name:
        return "rsLoRA"
    # Llama and Mistral have no biases.
    if adapters and base in ("bert", "roberta", "distilbert", "gpt2") and name.endswith(("-all", "-lora_only")):
        return "biases of adapted layers as later versions save them"
    return None


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


def gpt2(digits=False):
    from tokenizers import pre_tokenizers, processors
    t = byte_level(["<|endoftext|>"])
    if digits:
        t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), t.pre_tokenizer])
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
    save("gpt2-digits", model(), gpt2(digits=True), None)
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
        row["not_read"] = not_read(name, base, options) if transformers.__version__ < "5" else None
        if row["not_read"]:
            continue
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
                    row["vectors_by"], row["vectors"] = vectors(folder, result["embeddings"])
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
    import sentence_transformers
    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    theirs = model.encode([e["text"] for e in embeddings])
    return "sentence-transformers " + sentence_transformers.__version__, max(abs(a - b) for e, t in zip(embeddings, theirs.tolist()) for a, b in zip(e["vector"], t)) / abs(theirs).max().item()


# ---- The table

def table(work):
    parity = json.load(open(f"{work}/parity.json"))["cases"]
    rows, lacking, faults = {}, {}, []
    for file in sorted((f for f in os.listdir(work) if f.startswith("loaded-")), reverse=True):
        results = json.load(open(f"{work}/{file}"))
        for what, name, *_ in saves():
            result = results.get(name, {"by": file, "error": "was not saved"})
            if result.get("not_read"):
                lacking.setdefault((result["by"], result["not_read"]), []).append(name)
                continue
            case = f"{work}/saved/{name}/case-{file[len('loaded-'):-len('.json')]}.safetensors"
            scores = [parity.get(case, {}).get("logits"), result.get("predict", 0)]
            found = [(result["by"], scores)] + ([(result["vectors_by"], [result["vectors"]])] if "vectors" in result else [])
            for loader, differences in found:
                worst = max((float("inf") if d is None else d for d in differences))
                row = rows.setdefault((loader, what), {"count": 0, "worst": 0, "equal": True})
                row.update(count=row["count"] + 1, worst=max(row["worst"], worst), equal=row["equal"] and result.get("ids") == [])
                if worst > TOLERANCE or result.get("ids") != []:
                    faults.append(f"{name}, {loader}: difference {worst:.1e}, ids {result.get('ids')} {result.get('error', '')}")
    print("| what was saved | models | loaded by | greatest difference | ids equal |\n|---|---|---|---|---|")
    for (loader, what), row in rows.items():
        print(f"| {what} | {row['count']} | {loader} | {row['worst']:.1e} | {'yes' if row['equal'] else 'NO'} |")
    print()
    for (loader, reason), names in lacking.items():
        print(f"{loader} does not read {reason}: {', '.join(names)}")
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit({"make": make, "load": load, "table": table}[sys.argv[1]](*sys.argv[2:]))
