"""Models of every encoder family with every head, with random weights, for acceptance/onnx.sh.

onnx_export.py make FOLDER TOKENIZER.json writes them as FOLDER/family-head, with transformers and sentence-transformers.
onnx_export.py compare FOLDER EXPORTED checks EXPORTED/family-head/model.onnx with onnx.checker, and compares what onnxruntime computes with it and
what PyTorch computes: batches of 1 to 8 texts of 1 to 64 tokens, padded on the right, not at all,
or, where every token has its own outputs, on the left. Prints a Markdown table
of the greatest differences, and exits 1 if one is above 1e-5 of the largest value.
"""

import shutil
import sys
from pathlib import Path

import numpy
import torch
import transformers

SIZES = dict(vocab_size=99, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48, max_position_embeddings=70,
             pad_token_id=0, initializer_range=0.2)
ROBERTA = SIZES | dict(pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1, max_position_embeddings=72)
FAMILIES = {
    "bert": transformers.BertConfig(**SIZES),
    "distilbert": transformers.DistilBertConfig(vocab_size=99, dim=32, n_layers=3, n_heads=4, hidden_dim=48, max_position_embeddings=70,
                                                initializer_range=0.2),
    "roberta": transformers.RobertaConfig(**ROBERTA),
    "xlm-roberta": transformers.XLMRobertaConfig(**ROBERTA),
    "mpnet": transformers.MPNetConfig(**ROBERTA, relative_attention_num_buckets=32),
    "electra": transformers.ElectraConfig(**SIZES, embedding_size=16),
    "deberta-v2": transformers.DebertaV2Config(
        **SIZES | dict(max_position_embeddings=70), relative_attention=True, position_buckets=16, norm_rel_ebd="layer_norm",
        share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0),
    "modernbert": transformers.ModernBertConfig(**SIZES, local_attention=8, global_attn_every_n_layers=2, cls_token_id=1, sep_token_id=2,
                                                bos_token_id=1, eos_token_id=2),
}
HEADS = {
    "classify": (transformers.AutoModelForSequenceClassification, 3),
    "rerank": (transformers.AutoModelForSequenceClassification, 1),
    "token": (transformers.AutoModelForTokenClassification, 5),
    "qa": (transformers.AutoModelForQuestionAnswering, 2),
    "mlm": (transformers.AutoModelForMaskedLM, 2),
}
POOLINGS = {"mean": True, "cls": True, "max": False, "mean_sqrt_len_tokens": False, "weightedmean": False, "lasttoken": True}


def make(folder, tokenizer):
    for family, config in FAMILIES.items():
        for head, (kind, labels) in HEADS.items():
            torch.manual_seed(1)
            config.num_labels = labels
            config.problem_type = "regression" if head == "rerank" else None
            try:
                model = kind.from_config(config)
            except ValueError as e:
                print(f"{family} has no {head}: {str(e)[:60]}", file=sys.stderr)
                continue
            for name, weight in model.named_parameters():  # biases and norms begin as constants
                if weight.dim() == 1:
                    weight.data += 0.1 * torch.randn_like(weight)
            model.save_pretrained(folder / f"{family}-{head}")
            shutil.copy(tokenizer, folder / f"{family}-{head}" / "tokenizer.json")
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

        pooling, normalised = list(POOLINGS.items())[list(FAMILIES).index(family) % len(POOLINGS)]
        source = folder / "encoder"
        torch.manual_seed(2)
        transformers.AutoModel.from_config(config).save_pretrained(source)
        shutil.copy(tokenizer, source / "tokenizer.json")
        transformers.PreTrainedTokenizerFast(tokenizer_file=str(tokenizer), pad_token="[PAD]").save_pretrained(source)
        modules = [Transformer(str(source)), Pooling(32, pooling_mode=pooling)]
        if family in ("bert", "roberta"):
            modules.append(Dense(32, 24))
        if normalised:
            modules.append(Normalize())
        SentenceTransformer(modules=modules, device="cpu").save(str(folder / f"{family}-embed"))
        shutil.rmtree(source)


def batches(config, left):
    """Ids, mask and types: [rows, length] each; with padding on the left as well, or only on the right."""
    generator = numpy.random.default_rng(3)
    for rows, length, side in [(1, 1, None), (1, 7, None), (3, 16, "right"), (8, 33, "left"), (2, 64, None), (5, 64, "right")]:
        side = "right" if side == "left" and not left else side
        ids = generator.integers(5, 99, (rows, length))
        mask = numpy.ones((rows, length), dtype=numpy.int64)
        for row in range(1, rows):
            padding = int(generator.integers(0, length - 1))
            if side == "right":
                mask[row, length - padding:] = 0
            elif side == "left":
                mask[row, :padding] = 0
        ids[mask == 0] = config.pad_token_id
        types = generator.integers(0, 2, (rows, length)) if getattr(config, "type_vocab_size", 0) > 1 else numpy.zeros_like(ids)
        yield ids, mask, types


def expected(model, ids, mask, types):
    """PyTorch's outputs by their names."""
    inputs = {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask), "token_type_ids": torch.tensor(types)}
    with torch.no_grad():
        if hasattr(model, "encode"):
            outputs = model({name: value for name, value in inputs.items()
                             if name != "token_type_ids" or getattr(model[0].auto_model.config, "type_vocab_size", 0) > 1})
            return {"last_hidden_state": outputs["token_embeddings"], "sentence_embedding": outputs["sentence_embedding"]}
        if getattr(model.config, "type_vocab_size", 0) < 2:
            del inputs["token_type_ids"]
        outputs = model(**inputs)
        names = ("start_logits", "end_logits") if "start_logits" in outputs else ("logits",)
        return {name: outputs[name] for name in names}


def compare(folder, exported):
    import onnx
    import onnxruntime
    from sentence_transformers import SentenceTransformer

    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, transformers {transformers.__version__}", file=sys.stderr)
    heads = [*HEADS, "embed"]
    print("| family | " + " | ".join(heads) + " |")
    print("|---|" + "---|" * len(heads))
    worst = 0
    for family in FAMILIES:
        cells = []
        for head in heads:
            name = f"{family}-{head}"
            if not (folder / name).exists():
                cells.append("")
                continue
            path = exported / name / "model.onnx"
            onnx.checker.check_model(str(path), full_check=True)
            proto = onnx.load(str(path))
            assert proto.ir_version <= 10 and proto.opset_import[0].version <= 21, (proto.ir_version, proto.opset_import)
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            if head == "embed":
                model = SentenceTransformer(str(folder / name), device="cpu")
                config = model[0].auto_model.config
            else:
                model = HEADS[head][0].from_pretrained(folder / name).eval()
                config = model.config
            greatest = 0
            for ids, mask, types in batches(config, head in ("token", "qa", "mlm")):
                inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
                results = session.run(None, {one.name: inputs[one.name] for one in session.get_inputs()})
                outputs = dict(zip([one.name for one in session.get_outputs()], results))
                wanted = expected(model, ids, mask, types)
                assert list(outputs) == list(wanted), (list(outputs), list(wanted))
                for key, value in wanted.items():
                    value = value.numpy()
                    assert value.shape == outputs[key].shape, (name, key, value.shape, outputs[key].shape)
                    difference = numpy.abs(value - outputs[key])
                    if value.shape[:2] == mask.shape and key != "sentence_embedding" and (value.ndim == 3 or head == "qa"):
                        difference = difference[mask == 1]
                    greatest = max(greatest, difference.max() / max(1, numpy.abs(value).max()))
            cells.append(f"{greatest:.0e}")
            worst = max(worst, greatest)
        print(f"| {family} | " + " | ".join(cells) + " |")
    return worst < 1e-5


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(0 if compare(Path(sys.argv[2]), Path(sys.argv[3])) else 1)
