#!/usr/bin/env bash
# Damages small valid files of every kind that is read, with 1 GB of heap. Each must be rejected within 10 seconds with a
# one-sentence error that names it, or be read unchanged, or as what it now says. Prints a line for each kind; exits 1 at the
# first case that does none of these, and prints its number, which reproduces it.
# Usage: acceptance/fuzz.sh [CASES [SEED]]; default 5000 cases per file and seed 1, about 15 minutes on 2 cores. Give more
# cases for a run of an hour.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
code=0
mvn -B -f "$home/pom.xml" -pl tokentune-samediff,datasets,dl4j -am test-compile surefire:test@default-test \
  -Dtest='FuzzTest' -Dsurefire.failIfNoSpecifiedTests=false -Dsurefire.jvm='-Xmx1g -Dai.djl.offline=true' \
  -Dtokentune.fuzz.cases="${1:-5000}" -Dtokentune.fuzz.seed="${2:-1}" >"$log" 2>&1 || code=$?
grep -E '^fuzz|^\[ERROR\].*(FuzzTest|crashed|forked)' "$log" || true
exit "$code"
