"""Makes the Parquet files that TableFilesTest reads, and the same rows as JSON lines.

    pip install datasets==5.0.0 pyarrow==26.0.1
    python acceptance/tables.py tables/src/test/resources
"""
import datetime
import decimal
import json
import os
import sys

import pyarrow
import pyarrow.parquet
from datasets import ClassLabel, Dataset, Features, List, Sequence, Value

out = sys.argv[1]
WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5)
DAY = datetime.date(2026, 1, 2)


def expected(name, rows):
    with open(os.path.join(out, name), "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


# As datasets writes it (snappy), with what it keeps under the key "huggingface".
features = Features({
    "text": Value("string"),
    "label": ClassLabel(names=["negative", "positive"]),
    "tokens": List(Value("string")),
    "ner_tags": List(ClassLabel(names=["O", "B-PER"])),
    "messages": List({"role": ClassLabel(names=["user", "assistant"]), "content": Value("string")}),
    "answers": Sequence({"text": Value("string"), "answer_start": Value("int32"), "kind": ClassLabel(names=["short", "long"])}),
})
rows = [
    {"text": 'a "quoted"\nline', "label": 1, "tokens": ["Ann", "sings"], "ner_tags": [1, 0],
     "messages": [{"role": 0, "content": "hi"}, {"role": 1, "content": "hello"}], "answers": {"text": ["x"], "answer_start": [3], "kind": [1]}},
    {"text": "ü 東京 \U0001f600", "label": 0, "tokens": [], "ner_tags": [], "messages": [], "answers": {"text": [], "answer_start": [], "kind": []}},
    {"text": None, "label": -1, "tokens": ["Bo"], "ner_tags": [1],
     "messages": [{"role": 0, "content": None}], "answers": {"text": ["y", "z"], "answer_start": [1, 2], "kind": [0, 1]}},
]
Dataset.from_list(rows, features=features).to_parquet(os.path.join(out, "datasets.parquet"))
label = ["negative", "positive"]
expected("datasets.jsonl", [dict(
    row, label=None if row["label"] < 0 else label[row["label"]], ner_tags=[["O", "B-PER"][t] for t in row["ner_tags"]],
    messages=[dict(m, role=["user", "assistant"][m["role"]]) for m in row["messages"]],
    answers=dict(row["answers"], kind=[["short", "long"][k] for k in row["answers"]["kind"]])) for row in rows])

# Types that only pyarrow writes, with zstd, in several row groups.
table = pyarrow.table({
    "text": [f"text {i}" for i in range(5)],
    "u32": pyarrow.array([4294967295 - i for i in range(5)], pyarrow.uint32()),
    "u64": pyarrow.array([18446744073709551615 - i for i in range(5)], pyarrow.uint64()),
    "i64": pyarrow.array([-9007199254740993 - i for i in range(5)], pyarrow.int64()),
    "price": pyarrow.array([decimal.Decimal("1.10") + i for i in range(5)], pyarrow.decimal128(10, 2)),
    "score": pyarrow.array([0.1, float("nan"), None, -1e30, 1.0], pyarrow.float32()),
    "exact": pyarrow.array([0.1, 1e-300, None, 2.5, 1.0], pyarrow.float64()),
    "when": pyarrow.array([WHEN] * 5, pyarrow.timestamp("us")),
    "day": pyarrow.array([DAY] * 5, pyarrow.date32()),
    "image": pyarrow.array([b"\x00\x01"] * 5, pyarrow.binary()),
    "kind": pyarrow.array(["a", "b", "a", "b", "a"]).dictionary_encode(),
    "counts": pyarrow.array([[("x", 1)]] * 5, pyarrow.map_(pyarrow.string(), pyarrow.int32())),
})
pyarrow.parquet.write_table(table, os.path.join(out, "pyarrow.parquet"), compression="zstd", row_group_size=2)
listed = table.drop_columns(["image"]).to_pylist()
for row in listed:
    row["price"] = float(row["price"])
    row["score"] = None if row["score"] is None or row["score"] != row["score"] else float("%.7g" % row["score"])
    row["when"] = row["when"].isoformat()
    row["counts"] = dict(row["counts"])
expected("pyarrow.jsonl", listed)
