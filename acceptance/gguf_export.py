"""Compares GGUF files of ./tokentune export with transformers, in llama.cpp; see gguf.sh.
Usage: python gguf_export.py HOME WORK [FAMILY...]
Made with PyTorch 2.15.0, transformers 5.24.0, peft 0.21.2, gguf 0.19.0 and xllamacpp 2026.10.11549.
"""
import copy
import json
import multiprocessing
import os
import subprocess
import sys

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HOME, WORK = sys.argv[1], sys.argv[2]
NEW = 16
TEXT = "Once upon a time, there was a little girl named Lily who had 12 red balls."
TYPES = os.environ.get("TYPES", "f32 f16 bf16 q8_0 q4_k").split()
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
SMALL = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=128, bos_token_id=0, eos_token_id=1, pad_token_id=None, initializer_range=0.2)
WIDE = dict(SMALL, hidden_size=256, intermediate_size=512, num_hidden_layers=2)
GPT2 = dict(n_embd=64, n_inner=96, n_layer=3, n_head=4, n_positions=128, initializer_range=0.2)
LLAMA3_ROPE = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                   original_max_position_embeddings=8192)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32)
LONGROPE = dict(rope_type="longrope", rope_theta=10000.0, short_factor=[1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2],
                long_factor=[1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0], original_max_position_embeddings=64)



def partial(share, **rope):
    return dict(rope_parameters=dict(dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=share), **rope))


# name: class, sizes, tokenizer, further fields
FAMILIES = {
    "llama": ("Llama", SMALL, "pieces", {}),
    "llama-tied": ("Llama", WIDE, "llama3", dict(tie_word_embeddings=True)),
    "llama-biased": ("Llama", SMALL, "gpt2", dict(attention_bias=True)),
    "llama-linear": ("Llama", SMALL, "pieces", dict(rope_parameters=dict(rope_type="linear", factor=4.0, rope_theta=10000.0))),
    "llama3": ("Llama", WIDE, "llama3", dict(rope_parameters=LLAMA3_ROPE, head_dim=32)),
    "mistral": ("Mistral", SMALL, "pieces", dict(sliding_window=None)),
    "mistral-window": ("Mistral", SMALL, "pieces", dict(sliding_window=64)),
    "qwen2": ("Qwen2", WIDE, "qwen2", {}),
    "qwen3": ("Qwen3", SMALL, "qwen2", dict(head_dim=32, tie_word_embeddings=True)),
    "qwen3-yarn": ("Qwen3", SMALL, "qwen2", dict(head_dim=32, rope_parameters=YARN)),
    "gemma2": ("Gemma2", SMALL, "gemma", dict(head_dim=16, query_pre_attn_scalar=16, sliding_window=8)),
    "gemma2-scaled": ("Gemma2", SMALL, "gemma", dict(head_dim=16, query_pre_attn_scalar=24, sliding_window=8)),
    "gemma3": ("Gemma3ForCausalLM", dict(SMALL, num_hidden_layers=7), "gemma", dict(
        head_dim=16, query_pre_attn_scalar=20, sliding_window=8, rope_parameters=dict(
            full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1e6),
            sliding_attention=dict(rope_type="default", rope_theta=10000.0)))),
    "gemma3-period": ("Gemma3ForCausalLM", SMALL, "gemma", dict(
        head_dim=16, query_pre_attn_scalar=16, sliding_window=8, layer_types=["sliding_attention", "full_attention", "sliding_attention"])),
    "phi3": ("Phi3", SMALL, "pieces", dict(sliding_window=None)),
    "phi3-partial": ("Phi3", SMALL, "pieces", dict(sliding_window=None, partial_rotary_factor=0.75,
                                                  rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.75))),
    "phi3-longrope": ("Phi3", SMALL, "pieces", dict(sliding_window=None, rope_parameters=LONGROPE)),
    "granite": ("Granite", SMALL, "smollm", dict(attention_multiplier=0.2, embedding_multiplier=6.0, residual_multiplier=0.4, logits_scaling=3.0)),
    "olmo2": ("Olmo2", SMALL, "dbrx", {}),
    "smollm3": ("SmolLM3", dict(SMALL, num_hidden_layers=4), "llama3", {}),
    "gpt2": ("GPT2LMHeadModel", GPT2, "gpt2", {}),
    "gpt2-untied": ("GPT2LMHeadModel", dict(GPT2, n_embd=256, n_inner=None), "gpt2", dict(tie_word_embeddings=False)),
    "stablelm": ("StableLm", SMALL, "gpt2", {}),
    "stablelm-biased": ("StableLm", SMALL, "qwen2", dict(use_qkv_bias=True, num_key_value_heads=4)),
    "stablelm-tied": ("StableLm", WIDE, "llama3", dict(tie_word_embeddings=True, **partial(0.5))),
    "stablelm-linear": ("StableLm", SMALL, "gpt2", partial(0.75, rope_type="linear", factor=4.0)),
    "stablelm-yarn": ("StableLm", SMALL, "gpt2", partial(0.5, **YARN)),
}


ENCODERS = {
    "bert": ("BertModel", dict(vocab_size=400, hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96, max_position_embeddings=64, initializer_range=0.2), "mean"),
    "bert-cls": ("BertModel", dict(vocab_size=400, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96, max_position_embeddings=64, initializer_range=0.2), "cls"),
    "distilbert": ("DistilBertModel", dict(vocab_size=400, dim=64, n_layers=2, n_heads=4, hidden_dim=96, max_position_embeddings=64, initializer_range=0.2), "mean"),
    "electra": ("ElectraModel", dict(vocab_size=400, embedding_size=64, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96, max_position_embeddings=64, initializer_range=0.2), "mean"),
}
TABLES = ("gemma", "gpt2")  # llama.cpp looks up their gelu in a table of 16-bit floats
SENTENCES = (TEXT, "Caf\u00e9s in Z\u00dcRICH don't open before 10:30!", "the end")


def training():
    with open(os.path.join(HOME, "samples", "stories.txt"), encoding="utf-8") as file:
        return file.read().splitlines()


def byte_level(kind):
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama3"))
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind in ("gpt2", "smollm"))
    if kind == "smollm":
        level = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), level])
    elif kind != "gpt2":
        rule = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}") if kind == "qwen2" else LLAMA3
        level = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(rule), "isolated"), level])
    tokenizer.pre_tokenizer = level
    if kind == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(training(), trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<|begin|>", "<|end|>", "<|im_end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    if kind == "llama3":
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
            single="<|begin|> $A", pair="<|begin|> $A <|begin|> $B", special_tokens=[("<|begin|>", 0)])])
    return tokenizer, "<|begin|>", "<|end|>"


def pieces(kind):
    """Tokens with scores, and the merges that follow from them, as transformers derives them."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(training(), trainers.BpeTrainer(vocab_size=240, show_progress=False))
    words = [token for token, _ in sorted(trained.get_vocab().items(), key=lambda item: item[1])]
    tokens = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % i for i in range(256)] + words
    vocabulary = {token: i for i, token in enumerate(tokens)}
    pairs = [(vocabulary[word], vocabulary[word[:cut]], vocabulary[word[cut:]]) for word in words
             for cut in range(1, len(word)) if word[:cut] in vocabulary and word[cut:] in vocabulary]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[(tokens[left], tokens[right]) for _, left, right in sorted(pairs)],
                                     unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    steps = [normalizers.Replace(" ", "\u2581")]
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581")] + steps) if kind == "pieces" else steps[0]
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tokenizer, "<s>", "</s>"


def make(family, folder):
    name, sizes, kind, fields = FAMILIES[family]
    tokenizer, begin, end = pieces(kind) if kind in ("pieces", "gemma") else byte_level(kind)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=begin, eos_token=end)
    fast.chat_template = "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}"
    cls = getattr(transformers, name if name.endswith(("LM", "Model")) else name + "ForCausalLM")
    torch.manual_seed(7)
    ids = dict(bos_token_id=tokenizer.token_to_id(begin), eos_token_id=tokenizer.token_to_id(end))
    config = cls.config_class(**{**sizes, **ids, "vocab_size": tokenizer.get_vocab_size() + 3, **fields})
    model = cls(config).float().eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            if key.endswith(("norm.weight", "ln_1.weight", "ln_2.weight", "ln_f.weight")):
                value.add_(torch.randn_like(value) * 0.2)
            elif key.endswith("bias"):
                value.copy_(torch.randn_like(value) * 0.2)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return model, fast


def banned(fast, words):
    """Special and unused tokens, which would end a text (llama.cpp knows some by their names), and bytes that are no characters, whose ids the server does not show."""
    return [i for i in range(words) if i >= len(fast) or i in fast.all_special_ids or fast.decode([i]).startswith("<|") or "\ufffd" in fast.decode([i]) or not fast.decode([i])]


def greedy(model, ids, without):
    """Ids, and the log probabilities of the first."""
    ids, first = list(ids), None
    with torch.no_grad():
        for _ in range(NEW):
            logits = model(torch.tensor([ids])).logits[0, -1].double()
            first = torch.log_softmax(logits, -1) if first is None else first
            logits[without] = -torch.inf
            ids.append(int(logits.argmax()))
    return ids[-NEW:], first


class TableGelu(torch.nn.Module):
    """As llama.cpp looks it up: argument and result are 16-bit floats."""

    def forward(self, x):
        return torch.nn.functional.gelu(x.half().float(), approximate="tanh").half().float()


def with_table(model):
    """A copy of the model that computes gelu as llama.cpp does."""
    model = copy.deepcopy(model)
    for module in list(model.modules()):
        for name in ("act", "act_fn"):
            if hasattr(module, name):
                setattr(module, name, TableGelu())
    return model


def llama(queue, file, prompt, words, without, adapter):
    import xllamacpp
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.n_ctx, params.n_parallel, params.warmup, params.n_gpu_layers, params.verbosity = 128, 1, False, 0, 0
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    if adapter:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(adapter, 1.0)]
    server = xllamacpp.Server(params)
    # the first step alone shows all words
    out = []
    for count, shown in ((NEW, 1), (1, words)):
        made = server.handle_completions(dict(prompt=prompt, n_predict=count, temperature=0, n_probs=shown, cache_prompt=False, logit_bias=[[i, False] for i in without]))
        steps = made["choices"][0]["logprobs"]["content"]
        out.append(([s["id"] for s in steps], {t["id"]: t["logprob"] for t in steps[0]["top_logprobs"]}, made["usage"]["prompt_tokens"]))
    queue.put(out)
    queue.close()
    queue.join_thread()
    os._exit(0)


def make_encoder(family, folder):
    name, sizes, pooling = ENCODERS[family]
    words = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    words.normalizer = normalizers.BertNormalizer(lowercase=True)
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words.train_from_iterator(training(), trainers.WordPieceTrainer(vocab_size=390, special_tokens=special, show_progress=False))
    words.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    fast = transformers.BertTokenizerFast(tokenizer_object=words)
    torch.manual_seed(7)
    cls = getattr(transformers, name)
    model = cls(cls.config_class(**sizes)).float().eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            if key.endswith("bias") or "LayerNorm" in key or "layer_norm" in key:
                value.add_(torch.randn_like(value) * 0.2)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    os.makedirs(os.path.join(folder, "1_Pooling"))
    with open(os.path.join(folder, "modules.json"), "w") as file:
        kinds = ("Transformer", "Pooling", "Normalize")
        json.dump([dict(idx=i, name=str(i), path="1_Pooling" if i == 1 else "" if i == 0 else "2_Normalize", type="sentence_transformers.models." + kind) for i, kind in enumerate(kinds)], file)
    with open(os.path.join(folder, "1_Pooling", "config.json"), "w") as file:
        json.dump(dict(word_embedding_dimension=64, pooling_mode_cls_token=pooling == "cls", pooling_mode_mean_tokens=pooling == "mean"), file)
    vectors = []
    with torch.no_grad():
        for text in SENTENCES:
            rows = model(**fast(text, return_tensors="pt")).last_hidden_state[0]
            vectors.append(torch.nn.functional.normalize(rows[0] if pooling == "cls" else rows.mean(0), dim=0))
    return vectors


def embed(queue, file):
    import xllamacpp
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.n_ctx, params.n_parallel, params.warmup, params.n_gpu_layers, params.verbosity, params.embedding = 64, 1, False, 0, 0, True
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    queue.put([server.handle_embeddings(dict(input=text))["data"][0]["embedding"] for text in SENTENCES])
    queue.close()
    queue.join_thread()
    os._exit(0)


def in_process(target, *arguments):
    queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=target, args=(queue, *arguments))
    process.start()
    try:
        return queue.get(timeout=8)
    finally:
        process.join(5)
        process.kill()


def export(lines):
    """Writes all files, in one virtual machine."""
    listed = os.path.join(WORK, "list")
    with open(listed, "w") as file:
        file.write("".join("\t".join(line) + "\n" for line in lines))
    with open(os.path.join(HOME, "cli", "target", "classpath")) as file:
        path = os.path.join(HOME, "cli", "target", "classes") + ":" + file.read().strip()
    made = subprocess.run(["java", "--enable-native-access=ALL-UNNAMED", "-Dai.djl.offline=true", "-cp", path,
                           os.path.join(HOME, "acceptance", "Exports.java"), listed], capture_output=True, text=True)
    print((made.stdout + made.stderr).replace(WORK + "/", ""), flush=True)


def compare(name, file, fast, model, adapter=None):
    prompt = fast(TEXT)["input_ids"]
    words = model.config.vocab_size
    without = banned(fast, words)
    ids, wanted = greedy(model, prompt, without)
    (found, _, count), (_, first, _) = in_process(llama, file, TEXT, words, without, adapter)
    equal = next((i for i in range(min(NEW, len(found))) if ids[i] != found[i]), min(NEW, len(found)))
    worst = max(abs(first[i] - wanted[i].item()) for i in first)
    if name.startswith(TABLES):
        exact, wanted = worst, greedy(with_table(model), prompt, without)[1]
        worst = max(abs(first[i] - wanted[i].item()) for i in first)
        name += f" (gelu in 32 bits: {exact:.1e})"
    print(f"{name}: {count} of {len(prompt)} tokens, {equal} of {NEW} greedy ids equal, log probabilities of {len(first)} words differ by {worst:.1e}", flush=True)
    return count == len(prompt) and equal == NEW, worst


def adapter(family, base, folder, **fields):
    from peft import LoraConfig, get_peft_model
    torch.manual_seed(11)
    targets = ["q_proj", "k_proj", "v_proj", "down_proj"]
    if family.startswith("phi3"):
        targets = ["qkv_proj", "gate_up_proj", "o_proj"]
    elif family.startswith("gpt2"):
        targets = ["c_attn", "c_proj", "c_fc"]
    model = get_peft_model(base, LoraConfig(r=4, lora_alpha=6, target_modules=targets, task_type="CAUSAL_LM", init_lora_weights=False, **fields))
    model.eval().save_pretrained(folder)
    return model


def main():
    lines, checks = [], []
    for family in sys.argv[3:] or [*FAMILIES, *ENCODERS]:
        folder = os.path.join(WORK, family)
        if family in ENCODERS:
            vectors = make_encoder(family, folder)
            for kind in TYPES:
                file = f"{folder}-{kind}.gguf"
                lines.append((folder, "-", kind, file))
                checks.append((f"{family} {kind}", file, kind == "f32", vectors, None, None))
            continue
        model, fast = make(family, folder)
        for kind in TYPES:
            file = f"{folder}-{kind}.gguf"
            lines.append((folder, "-", kind, file))
            checks.append((f"{family} {kind}", file, kind == "f32", model, fast, None))
        patterns = dict(rank_pattern={"q_proj": 2}, alpha_pattern={"v_proj": 12})
        if family.startswith("phi3"):
            patterns = {}
        elif family.startswith("gpt2"):
            patterns = dict(rank_pattern={"c_attn": 2}, alpha_pattern={"c_fc": 12})
        for label, fields in (("LoRA", {}), ("rsLoRA-patterns", dict(patterns, use_rslora=True))):
            tuned = adapter(family, make(family, folder)[0], f"{folder}-{label}", **fields)
            lines.append((folder, f"{folder}-{label}", "f32", f"{folder}-{label}.gguf"))
            checks.append((f"{family} {label}", f"{folder}-f32.gguf", True, tuned, fast, f"{folder}-{label}.gguf"))
    export(lines)
    failed = []
    for name, file, exact, wanted, fast, tuned in checks:
        try:
            if fast is None:
                found = in_process(embed, file)
                worst = max(float((one - torch.tensor(got)).abs().max()) for one, got in zip(wanted, found))
                print(f"{name}: vectors of {len(found)} texts differ by {worst:.1e}", flush=True)
                good = worst < 1e-3
            else:
                same, worst = compare(name, file, fast, wanted, tuned)
                # llama.cpp looks up gelu in a table of 16-bit floats
                good = same and worst < (5e-3 if name.startswith(("gemma", "gpt2")) else 2e-4)
            if exact and not good:
                failed.append(name)
        except Exception as problem:
            print(f"{name}: {type(problem).__name__} {problem}", flush=True)
            failed.append(name)
    print("failed:", ", ".join(failed) if failed else "none")
    sys.exit(bool(failed))


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")  # torch is loaded once
    torch.set_num_threads(1)
    main()
