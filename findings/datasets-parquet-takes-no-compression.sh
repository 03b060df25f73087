#!/usr/bin/env bash
# datasets 5.0.0: Dataset.to_parquet cannot be told the compression, although its extra arguments go to pyarrow's writer.
# Expected: to_parquet(file, compression="zstd") writes a file compressed with zstd: the documentation says that
#   parquet_writer_kwargs are handed to pyarrow.parquet.ParquetWriter, whose main option this is.
# Seen: TypeError: ParquetWriter() got multiple values for keyword argument 'compression'. The same call on the Arrow
#   table beneath works.
# Why it matters: whoever wants zstd has to write the table with pyarrow, and then loses the names of class labels, which
#   to_parquet stores under the key "huggingface", unless the schema's metadata are taken along.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q datasets==5.0.0 pyarrow==26.0.1
cd "$dir"
cat > finding.py <<'PY'
import datasets, pyarrow, pyarrow.parquet
from datasets import ClassLabel, Dataset, Features

print("datasets", datasets.__version__, "pyarrow", pyarrow.__version__)
rows = Dataset.from_dict({"label": [0, 1]}, features=Features({"label": ClassLabel(names=["no", "yes"])}))
failed = ""
try:
    rows.to_parquet("rows.parquet", compression="zstd")
except TypeError as e:
    failed = str(e)
print("to_parquet(compression='zstd'):", failed or "written")
pyarrow.parquet.write_table(rows.data.table, "table.parquet", compression="zstd")
column = pyarrow.parquet.ParquetFile("table.parquet").metadata.row_group(0).column(0)
print("write_table(compression='zstd'):", column.compression)
assert "multiple values for keyword argument 'compression'" in failed and column.compression == "ZSTD"
PY
"$dir/venv/bin/python" finding.py
