#!/usr/bin/env bash
# Jinja2 3.1.6: the else of a loop runs after {% break %} or {% continue %}, although there were rounds.
# Expected: else is for loops in which "no iteration took place" (Jinja2's documentation of for).
# Seen: a round counts only when its body ends: if every round ends in {% continue %}, or the first in {% break %}, else
#   runs as well. Without the two tags it does not.
# Why it matters: a template that skips all messages but some, and writes a default in else, writes both. Whoever
#   implements chat templates has to do the same to give the same text.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile jinja2==3.1.6
"$dir/venv/bin/python" - <<'PY'
import jinja2

print("jinja2", jinja2.__version__)
environment = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"])
for body in ("{{ x }}", "{{ x }}{% break %}", "{{ x }}{% continue %}", "{{ x }}{% if x == 1 %}{% continue %}{% endif %}"):
    print(f"{body!r}: {environment.from_string('{% for x in [1, 2] %}' + body + '{% else %} none{% endfor %}').render()!r}")
PY
