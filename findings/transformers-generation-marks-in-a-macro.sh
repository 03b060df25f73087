#!/usr/bin/env bash
# transformers 5.24.0: {% generation %} within a macro marks the wrong characters as the assistant's.
# Expected: apply_chat_template(return_assistant_tokens_mask=True) marks what stands between {% generation %} and
#   {% endgeneration %}, wherever the template has it; or it says that it cannot.
# Seen: the place of the text is taken from what the template has put out so far, and a macro's text is not put out
#   before it ends. The mark begins where the macro's own text begins, and has the right length at the wrong place.
# Why it matters: many templates write a message in a macro. Training then learns the role's header and drops the end of
#   the answer, without an error. Keep the generation block out of macros, set blocks and filters.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-compile transformers==5.24.0 jinja2==3.1.6
"$dir/venv/bin/python" - <<'PY'
import jinja2
import transformers
from transformers.utils.chat_template_utils import render_jinja_template

print("transformers", transformers.__version__, "jinja2", jinja2.__version__)
messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
turn = "<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}"
for name, template in (
    ("in the loop", "{% for m in messages %}" + turn + "{% endfor %}"),
    ("in a macro", "{% macro turn(m) %}" + turn + "{% endmacro %}{% for m in messages %}{{ turn(m) }}{% endfor %}"),
):
    (text,), (spans,) = render_jinja_template([messages], chat_template=template, return_assistant_tokens_mask=True)
    print(f"{name}: {text!r}, marked {[text[a:b] for a, b in spans]}")
PY
