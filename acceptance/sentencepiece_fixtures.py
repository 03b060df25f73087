"""Makes the SentencePiece models in datasets/src/test/resources/tokenizers, and records their ids.

    python acceptance/sentencepiece_fixtures.py TEXT_FILE datasets/src/test/resources/tokenizers

TEXT_FILE has a text per line, such as tinyshakespeare. Ids are those of transformers' AutoTokenizer
on a folder that has the model file and no tokenizer.json. Seen with sentencepiece 0.2.3 and
transformers 5.24.0. Prints, for each model, how many texts have other ids in sentencepiece itself:
transformers cuts texts into words in its own way. Needs protobuf, too. Models that exist are kept, unless
--train is given; --full gives XLM-RoBERTa's the map of characters nmt_nfkc, which is too large for a fixture.
"""

import json
import pathlib
import random
import shutil
import sys
import tempfile
import unicodedata

import sentencepiece as spm
import transformers

ODD = [
    "", " ", "  two  spaces  ", "\ttab\nline\r\nend ", "no\u00a0break\u3000ideographic\u2009thin",
    "\u2581 marker \u2581\u2581x", "漢字かな交じり文、テスト。", "한국어 텍스트", "ﬁ ligature ｆｕｌｌ ①②", "e\u0301 é Å \u212b",
    "emoji 😀👩‍👩‍👧 🇫🇷", "control \u0000\u0001\u0007\u007f\u0085 end", "zero\u200bwidth\ufeffjoin\u200d",
    "right \u202eto\u202c left עברית العربية", "<s> </s> <unk> <pad> <mask>", "[CLS] [SEP] [UNK] [PAD] [MASK]",
    "a<mask>b [MASK]c", "<extra> x<extra>y", "¹²³ ½ … ‘’“” — –", "ÀÉÎÕÜ ß ẞ İ ı", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "1,000.50 10% $5", "http://example.org/a?b=c&d", "\U0001d49c\U0001d4b7 \U00020000", "x\u0308\u0323 y\u0323\u0308",
]

RULES = {c: unicodedata.normalize("NFKC", c) for c in "ﬁ\u212bｆｕｌ①②½²³¹１０ｱ"}
RULES |= {"e\u0301": "é", "\u0323": "", "\u200b": " ", "\u3000": " ", "\u00a0": " ", "\t": " ", "\n": " ", "\u0007": "", "\ufeff": ""}


def texts(lines):
    random.seed(7)
    alphabet = "abc ,.'\t\u00a0\u3000漢字é😀\u0301\u200bЖш١０ｱﾞ<>[]\u2581\u0007"
    made = ["".join(random.choice(alphabet) for _ in range(random.randrange(1, 24))) for _ in range(125)]
    return ODD + random.sample([line for line in lines if line.strip()], 150) + made


def main():
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    lines = source.read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if len(line) < 400]
    common = dict(model_type="unigram", vocab_size=400, character_coverage=0.9995, num_threads=1, minloglevel=2)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", delete=False) as table:  # nmt_nfkc's own has 240 kB
        for old, new in RULES.items():
            table.write(" ".join(f"{ord(c):X}" for c in old) + "\t" + " ".join(f"{ord(c):X}" for c in new) + "\n")
    full = "--full" in sys.argv
    rules = {"normalization_rule_name": "nmt_nfkc"} if full else {"normalization_rule_tsv": table.name}
    kinds = {
        "xlm-roberta": dict(file="sentencepiece.bpe.model", user_defined_symbols=["<extra>"], **rules),
        "deberta-v2": dict(file="spm.model", normalization_rule_name="identity", pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]",
                           bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]"),
    }
    recorded = []
    for kind, options in kinds.items():
        file = options.pop("file")
        out = target / f"{kind}.model"
        if not out.exists() or "--train" in sys.argv:
            with open(out, "wb") as model:
                spm.SentencePieceTrainer.train(sentence_iterator=iter(lines[:5000]), model_writer=model,
                                               **common, **options)
        for settings in [{}, {"do_lower_case": True}] if kind == "deberta-v2" else [{}]:
            with tempfile.TemporaryDirectory() as folder:
                shutil.copy(out, pathlib.Path(folder) / file)
                (pathlib.Path(folder) / "config.json").write_text(json.dumps({"model_type": kind}))
                if settings:
                    (pathlib.Path(folder) / "tokenizer_config.json").write_text(json.dumps(settings))
                tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            processor = spm.SentencePieceProcessor(model_file=str(out))
            cases, other = [], 0
            for text in texts(lines):
                ids = tokenizer(text)["input_ids"]
                cases.append({"text": text, "ids": ids})
                offset = 1 if kind == "xlm-roberta" else 0
                own = [3 if i == processor.unk_id() else i + offset for i in processor.encode(text)]
                other += own != ids[1:-1]
            pair = tokenizer("To be", "or not")["input_ids"]
            recorded.append({"model_type": kind, "file": file, "settings": settings, "size": len(tokenizer),
                             "mask": tokenizer.mask_token_id, "pair": pair, "cases": cases})
            print(kind, settings, len(cases), "texts,", other, "with other ids in sentencepiece")
    (target / "sentencepiece-cases.json").write_text(
        json.dumps(recorded, ensure_ascii=True, separators=(",", ":")) + "\n")


main()
