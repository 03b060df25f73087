#!/usr/bin/env bash
# The commands in README.md and docs, run as they are printed: every block that is marked sh, in order, in one fresh clone of
# the last commit, which the first command builds. Prints a line for each command: page, line, exit code, seconds, command; and
# what a failed one printed. Exits 1 if one fails. A block is skipped if the line above it is a comment like
#   <!-- docs.sh: skip, needs the network -->
# ONLINE=1 runs those that need the network as well; all of them use the decoder stories260k, of 1 MB, which may be in the cache.
# Usage: acceptance/docs.sh [PAGE...]; default README.md and docs/*.md, about 20 minutes on 2 cores.
set -uo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
[ -z "$(git -C "$home" status --porcelain)" ] || echo "Changes that are not committed are left out."
git clone -q "$home" "$work/clone" || exit 1
cd "$work/clone" || exit 1
pages=("$@")
[ $# -gt 0 ] || pages=(README.md docs/*.md)

blocks() { # PAGE: prints "line|reason to skip|command" for each command
  awk '
    /^```/ { inside = !inside && $0 == "```sh"; if (!inside) skip = ""; next }
    inside && /\\$/ { if (command == "") at = NR; sub(/\\$/, ""); command = command $0; next }
    inside && NF { if (command == "") at = NR; print at "|" skip "|" command $0; command = ""; next }
    /^<!-- docs.sh: skip, .* -->$/ { skip = $0; sub(/^<!-- docs.sh: skip, /, "", skip); sub(/ -->$/, "", skip); next }
    !inside { skip = "" }' "$1"
}

failed=0
ran=0
for page in "${pages[@]}"; do
  while IFS='|' read -r line skip command <&3; do
    [ "$skip" = "needs the network" ] && [ -n "${ONLINE:-}" ] && skip=""
    if [ -n "$skip" ]; then
      printf '%-18s %4s  skipped, %s: %s\n' "$page" "$line" "$skip" "$command"
      continue
    fi
    begin=$SECONDS
    bash -c "$command" >"$work/log" 2>&1 </dev/null
    code=$?
    ran=$((ran + 1))
    printf '%-18s %4s  exit code %s, %4s s: %s\n' "$page" "$line" "$code" "$((SECONDS - begin))" "$command"
    if [ "$code" != 0 ]; then
      failed=$((failed + 1))
      tail -20 "$work/log"
    fi
  done 3< <(blocks "$page")
done
echo "$ran commands ran, $failed failed."
[ "$failed" = 0 ] && [ "$ran" -gt 0 ]
