#!/usr/bin/env bash
# Writes a Parquet file of labelled texts with pyarrow, reads it in a JVM with -Xmx512m as a training would, and compares rows, characters
# and the sum of labels with what pyarrow reads. Prints rows a second of both, and the most memory that the JVM held.
# Usage: PYTHON=PYTHON acceptance/parquet.sh [BYTES]; default 2000000000 bytes of text, which needs twice as much disk space in TMPDIR.
# PYTHON has pyarrow. Needs tinyshakespeare in DATA (default: ../shared/data).
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="${DATA:-$home/../shared/data}"
bytes="${1:-2000000000}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$home/tokentune" --version >/dev/null # builds if needed

"$PYTHON" - "$work/rows.parquet" "$bytes" "$data/tinyshakespeare/input.txt" <<'PYTHON'
import random, sys, pyarrow as pa, pyarrow.parquet as pq
path, size, seed = sys.argv[1], int(sys.argv[2]), [l for l in open(sys.argv[3]).read().split("\n") if l.strip()]
random.seed(42)
schema = pa.schema([("text", pa.string()), ("label", pa.int64())])
written = number = 0
with pq.ParquetWriter(path, schema, compression="zstd") as out:
    while written < size:
        texts = []
        for _ in range(100_000):
            number += 1
            texts.append("%d %s" % (number, " ".join(random.choices(seed, k=4))))
        written += sum(map(len, texts))
        out.write_table(pa.table({"text": texts, "label": [i % 3 for i in range(len(texts))]}, schema=schema))
PYTHON

"$PYTHON" - "$work/rows.parquet" <<'PYTHON' | tee "$work/theirs"
import os, sys, time, pyarrow.parquet as pq
start, rows, characters, labels = time.time(), 0, 0, 0
for batch in pq.ParquetFile(sys.argv[1]).iter_batches(batch_size=10_000):
    for row in batch.to_pylist():
        rows += 1; characters += len(row["text"]); labels += row["label"]
print("%d rows, %d characters, labels %d" % (rows, characters, labels))
print("pyarrow: %.0f rows a second, %.2f GB" % (rows / (time.time() - start), os.path.getsize(sys.argv[1]) / 1e9), file=sys.stderr)
PYTHON

cat >"$work/ReadRows.java" <<'JAVA'
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.datasets.Row;
import org.tokentune.datasets.RowSource;
import org.tokentune.tables.TableFiles;

class ReadRows {
  public static void main(String[] arguments) throws Exception {
    long start = System.nanoTime();
    Path file = new TableFiles(Path.of(arguments[1])).file(arguments[0]);
    long made = System.nanoTime();
    long rows = 0;
    long characters = 0;
    long labels = 0;
    try (RowSource source = RowSource.open(file)) {
      while (source.hasNext()) {
        Row row = source.next();
        rows++;
        characters += ((String) row.value("text")).codePoints().count();
        labels += ((Number) row.value("label")).longValue();
      }
    }
    double first = (made - start) / 1e9;
    double both = (System.nanoTime() - start) / 1e9;
    System.out.printf("%d rows, %d characters, labels %d%n", rows, characters, labels);
    System.err.printf(
        "here: %.0f rows a second into JSON lines, %.0f a second from them, %.0f both%n",
        rows / first, rows / (both - first), rows / both);
    Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM"))
        .forEach(System.err::println);
  }
}
JAVA
java -Xmx512m -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$home/cli/target/classes:$(cat "$home/cli/target/classpath")" \
  "$work/ReadRows.java" "$work/rows.parquet" "$work/cache" | tee "$work/ours"
cmp "$work/theirs" "$work/ours"
