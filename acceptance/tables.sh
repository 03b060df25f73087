#!/usr/bin/env bash
# Reads a Parquet file of 2 GB with 512 MB of heap: prints the rows, their rate, and the process's most memory; beside it pyarrow's
# rate for the same rows as Python objects, in JSON. Texts are those of SST-2, again and again with numbers.
# Usage: PYTHON=PATH acceptance/tables.sh [MEGABYTES]; default 2000, 10 minutes on 2 cores.
# Needs a Python with pyarrow, and train.tsv of SST-2 in SST2 (default: ../shared/data/sst2).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="${PYTHON:-python3}"
sst2="${SST2:-$home/../shared/data/sst2}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$home/tokentune" --version >/dev/null
cat >"$work/make.py" <<'PY'
import os, random, sys
import pyarrow, pyarrow.parquet
texts = [line.split("\t")[0] for line in open(sys.argv[1], encoding="utf-8")][1:]
random.seed(42)
schema = pyarrow.schema([("id", pyarrow.int64()), ("text", pyarrow.string()), ("label", pyarrow.int64())])
with pyarrow.parquet.ParquetWriter(sys.argv[2], schema, compression="snappy") as writer:
    row = 0
    while not os.path.exists(sys.argv[2]) or os.path.getsize(sys.argv[2]) < int(sys.argv[3]) * 1e6:
        ids = list(range(row, row + 100_000))
        some = [" ".join(random.choices(texts, k=4)) + f" {i:x}{random.getrandbits(256):x}" for i in ids]
        writer.write_table(pyarrow.table([ids, some, [i % 2 for i in ids]], schema=schema))
        row += 100_000
print(f"{os.path.getsize(sys.argv[2]) / 1e6:,.0f} MB, {row:,} rows")
PY
"$python" "$work/make.py" "$sst2/train.tsv" "$work/rows.parquet" "${1:-2000}"
cat >"$work/Read.java" <<'JAVA'
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.tables.TableFiles;

class Read {
  public static void main(String[] args) throws Exception {
    long begin = System.nanoTime();
    Path file = new TableFiles(Path.of(args[1])).file(args[0]);
    double seconds = (System.nanoTime() - begin) / 1e9;
    long rows;
    try (var lines = Files.lines(file)) {
      rows = lines.count();
    }
    String peak = Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM")).findFirst().orElse("");
    System.out.printf("here: %,d rows in %.0f s, %,.0f rows a second, %s%n", rows, seconds, rows / seconds, peak);
  }
}
JAVA
java -Xmx512m -cp "$home/cli/target/classes:$(cat "$home/cli/target/classpath")" "$work/Read.java" "$work/rows.parquet" "$work/cache"
cat >"$work/read.py" <<'PY'
import json, resource, sys, time
import pyarrow.parquet
begin, rows = time.time(), 0
with open(sys.argv[2], "w") as out:
    for batch in pyarrow.parquet.ParquetFile(sys.argv[1]).iter_batches():
        for row in batch.to_pylist():
            out.write(json.dumps(row) + "\n")
            rows += 1
seconds = time.time() - begin
print(f"pyarrow {pyarrow.__version__}: {rows:,} rows in {seconds:.0f} s, {rows / seconds:,.0f} rows a second,"
      f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} kB")
PY
"$python" "$work/read.py" "$work/rows.parquet" "$work/rows.jsonl"
