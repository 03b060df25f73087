#!/usr/bin/env bash
# How long chat templates take to render ten messages: the first text of a JVM and the thousandth; medians and worst.
# Usage: acceptance/chat-speed.sh CASES.json [COUNT]; 2 minutes for 100. CASES.json is what chat-packages.py make writes.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" - "$1" "${2:-1000}" "$work" <<'PYTHON'
import json, sys
templates = {c["file"]: c["t"] for c in json.load(open(sys.argv[1], encoding="utf-8"))}
for name in sorted(templates)[: int(sys.argv[2])]:
    with open(sys.argv[3] + "/" + name.replace("/", "-") + ".txt", "w", encoding="utf-8", newline="") as out:
        out.write(templates[name])
PYTHON
javac -d "$work" -cp "$home/chat/target/classes" "$home/acceptance/ChatSpeed.java"
for template in "$work"/*.txt; do
  echo "$(basename "$template") $(java -cp "$work:$home/chat/target/classes" ChatSpeed "$template")"
done | tee "$work/times" | awk '/refused/ { refused++; next } { print }' > "$work/rendered"
"${PYTHON:-python3}" - "$work/rendered" <<'PYTHON'
import statistics, sys
rows = [line.rsplit(" ", 2) for line in open(sys.argv[1])]
for what, column in (("first", 1), ("thousandth", 2)):
    times = sorted((float(row[column]), row[0]) for row in rows)
    print("%s of %d templates: median %.3f ms, worst %.3f ms (%s)" % (what, len(rows), statistics.median(t for t, _ in times), *times[-1]))
PYTHON
