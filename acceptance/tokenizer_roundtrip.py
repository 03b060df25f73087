"""What tokenizer_roundtrip.sh runs: `make OUT` writes small models whose tokenizers this transformers saves, and texts;
`compare TEXTS IDS FOLDER...` has AutoTokenizer make ids of the texts and compares them with those in the file."""
import json
import os
import sys

import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

transformers.logging.set_verbosity_error()
WORDS = "the king of France has a caf\u00e9; who would have thought it, said the queen in 1848. Don't!  Two  spaces\n\ta tab "
TEXTS = ["The King of France", "CAF\u00c9 na\u00efve \u5317\u4eac 12345", "  two  spaces \n\n a line\t", "", "it's [MASK] <mask> </s> <|endoftext|> or <s> not",
         "\u2581a e\u0301 \U0001f600", "Don't I'LL 'S", "[CLS] x [SEP]", " leading", "trailing  "]
LINES = [WORDS, WORDS.upper(), WORDS.title()] * 50


def word_piece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=False)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return t


def byte_level(special):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    t.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False))
    return t


def roberta():
    t = byte_level(["<s>", "<pad>", "</s>", "<unk>"])
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return t


def gpt2():
    t = byte_level(["<|endoftext|>"])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def llama():
    """SentencePiece's kind: spaces are written as U+2581, and what has no token as bytes."""
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    special = ["<unk>", "<s>", "</s>"]
    t.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=200, special_tokens=special, show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    t.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    j = json.loads(t.to_str())
    j["model"]["byte_fallback"] = True
    for byte in range(256):
        j["model"]["vocab"]["<0x%02X>" % byte] = len(j["model"]["vocab"])
    return Tokenizer.from_str(json.dumps(j))


def save(out, name, model, tokenizer, settings, vocabulary=False):
    folder = os.path.join(out, name)
    model.save_pretrained(folder)
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


def make(out):
    small = dict(hidden_size=32, intermediate_size=48, num_attention_heads=4, num_hidden_layers=1, max_position_embeddings=130)
    t = word_piece()
    bert = transformers.BertModel(transformers.BertConfig(vocab_size=t.get_vocab_size(), **small))
    for name, vocabulary, settings in (("bert", False, {"tokenizer_class": "BertTokenizer", "do_lower_case": False}), ("bert-plain", False, None),
                                       ("bert-vocab", True, {"do_lower_case": False, "strip_accents": True}), ("bert-vocab-plain", True, None)):
        save(out, name, bert, t, settings, vocabulary)
    t = roberta()
    model = transformers.RobertaModel(transformers.RobertaConfig(vocab_size=t.get_vocab_size(), type_vocab_size=1, **small))
    save(out, "roberta", model, t, {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True})
    save(out, "roberta-plain", model, t, None)
    t = gpt2()
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=t.get_vocab_size(), n_embd=32, n_layer=1, n_head=4, n_positions=130))
    save(out, "gpt2", model, t, {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "[PAD]"})
    save(out, "gpt2-plain", model, t, None)
    t = llama()
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=t.get_vocab_size(), **small))
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    save(out, "llama", model, t, {"tokenizer_class": "PreTrainedTokenizerFast", **special})
    save(out, "llama-plain", model, t, None)
    t.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B:1", special_tokens=[])
    save(out, "llama-nobos", model, t, None)
    json.dump(TEXTS, open(out + "/texts.json", "w"))
    with open(out + "/text.txt", "w", encoding="utf-8") as f:
        f.write(WORDS * 20)
    with open(out + "/rows.csv", "w", encoding="utf-8") as f:
        f.write("text,label\n" + "".join(f"the king {i},{'ab'[i % 2]}\n" for i in range(20)))


def compare(texts, ids, folders):
    texts, ours = json.load(open(texts)), json.load(open(ids))
    differing = 0
    for folder in folders:
        name = os.path.basename(folder)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        theirs = [tokenizer(x)["input_ids"] for x in texts]
        other = [x for x, a, b in zip(texts, ours[name], theirs) if a != b]
        differing += len(other)
        print(f"{name:18} transformers {transformers.__version__}: " + (f"differs: {other}" if other else f"{len(texts)} texts, {sum(map(len, theirs))} ids equal"))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(make(sys.argv[2]) if sys.argv[1] == "make" else compare(sys.argv[2], sys.argv[3], sys.argv[4:]))
