"""Compares masked words with transformers: small models of every family with a head over the vocabulary, and what they compute.
Made with PyTorch 2.15.0 and transformers 5.24.0.
    python masked-words.py make FOLDER
writes a model with random weights and a tokenizer for each family to FOLDER: golden folders, with mlm.safetensors.
    python masked-words.py load FOLDER ...
loads folders as AutoModelForMaskedLM, fails if a weight is missing, and writes mlm.safetensors to each. So what TokenTune saved is
compared, with ./tokentune parity FOLDER.
"""
import os
import sys

import tokenizers
import torch
import transformers
from safetensors.torch import save_file
from transformers import *

SIZES = dict(vocab_size=61, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=48)
BERT = dict(pad_token_id=0)
ROBERTA = dict(pad_token_id=1, bos_token_id=0, eos_token_id=2)
DEBERTA = dict(type_vocab_size=0, relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm", share_att_key=True,
               pos_att_type=["p2c", "c2p"], position_biased_input=False, max_relative_positions=-1, layer_norm_eps=1e-7)
MODERN = dict(pad_token_id=0, cls_token_id=1, sep_token_id=2, bos_token_id=1, eos_token_id=2, local_attention=10)
FAMILIES = {
    "bert-mlm-untied": (BertConfig, BertForMaskedLM, BERT | dict(tie_word_embeddings=False)),
    "roberta-mlm": (RobertaConfig, RobertaForMaskedLM, ROBERTA),
    "xlm-roberta-mlm": (XLMRobertaConfig, XLMRobertaForMaskedLM, ROBERTA | dict(type_vocab_size=1)),
    "distilbert-mlm": (DistilBertConfig, DistilBertForMaskedLM, BERT | dict(hidden_dim=24)),
    "electra-mlm": (ElectraConfig, ElectraForMaskedLM, BERT | dict(embedding_size=12)),
    "mpnet-mlm": (MPNetConfig, MPNetForMaskedLM, ROBERTA),
    "deberta-mlm": (DebertaV2Config, DebertaV2ForMaskedLM, BERT | DEBERTA),
    "modernbert-mlm-small": (ModernBertConfig, ModernBertForMaskedLM, MODERN),
}
LENGTHS = (21, 13, 6)


def tokenizer(folder, roberta):
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] if roberta else ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    begin, end, unknown, mask, pad = (special[i] for i in ((0, 2, 3, 4, 1) if roberta else (1, 2, 3, 4, 0)))
    words = special + [chr(97 + i) for i in range(26)] + ["##" + chr(97 + i) for i in range(26)] + [".", ",", "the", "and"]
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece({word: i for i, word in enumerate(words)}, unk_token=unknown))
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, words.index(begin)), (end, words.index(end))])
    PreTrainedTokenizerFast(tokenizer_object=made, cls_token=begin, sep_token=end, unk_token=unknown, mask_token=mask,
                            pad_token=pad).save_pretrained(folder)


def case(folder, model):
    torch.manual_seed(11)
    model.eval()
    vocabulary, pad = model.config.vocab_size, model.config.pad_token_id
    length = max(LENGTHS)
    mask = (torch.arange(length)[None] < torch.tensor(LENGTHS)[:, None]).long()
    ids = torch.where(mask.bool(), torch.randint(5, vocabulary, mask.shape), pad)
    hidden = (torch.rand(ids.shape) < 0.25) & mask.bool()
    hidden[:, 1] = True
    labels = torch.where(hidden, ids, -100)
    ids = torch.where(hidden & (torch.rand(ids.shape) < 0.8), 4, ids)
    out = model(input_ids=ids, attention_mask=mask, labels=labels, output_hidden_states=True)
    out.loss.backward()
    data = dict(input_ids=ids, attention_mask=mask, labels=labels, logits=out.logits, loss=out.loss)
    data |= {f"hidden.{i}": rows for i, rows in enumerate(out.hidden_states)}
    # of a head that is not tied the bias that counts, under the usual name
    data |= {f"grad.{name}".replace("predictions.decoder.bias", "predictions.bias"): parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in data.items()}, f"{folder}/mlm.safetensors")
    print(folder, f"loss {out.loss.item():.6f}, {len(data)} tensors")


def make(folder):
    for name, (config, kind, changes) in FAMILIES.items():
        torch.manual_seed(7)
        model = kind(config(attn_implementation="eager", **(SIZES | changes)))
        with torch.no_grad():
            for parameter in model.parameters():  # so that norms and biases are not ones and zeros
                parameter.add_(torch.randn_like(parameter) * 0.05)
        path = os.path.join(folder, name)
        model.save_pretrained(path)
        tokenizer(path, changes.get("pad_token_id") == 1)
        case(path, model)


def load(*folders):
    for folder in folders:
        model, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
        if info["missing_keys"] or info["mismatched_keys"]:
            sys.exit(f"{folder}: {info}")
        print("not used by transformers:", sorted(info["unexpected_keys"]))
        case(folder, model.float())


dict(make=make, load=load)[sys.argv[1]](*sys.argv[2:])
