"""More chat templates against transformers' own rendering: those of TRL and of axolotl, texts and generation marks.

    python -m pip install transformers==5.24.0 jinja2==3.1.6 trl==1.16.0
    python chat-packages.py make CASES.PY OUT.json      # CASES.PY: the script with the conversations, shared/bench/chat_templates.py
    tokentune chat --cases OUT.json --now 2026-01-02T03:04:05 --json RESULTS.json
    python chat-packages.py compare OUT.json RESULTS.json

TRL's are in the installed package; axolotl's are fetched from its source distribution, 0.19.0.
"""
import copy
import datetime
import glob
import importlib.util
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter

MORE = {
    "answered": [dict(role="user", content="a"), dict(role="assistant", content=" b\n"), dict(role="user", content="c"),
                 dict(role="assistant", content="d", reasoning_content="why")],
    "parts": [dict(role="system", content=[dict(type="text", text="s")]), dict(role="user", content=[dict(type="text", text="a <b>"), dict(type="text", text="ü")]),
              dict(role="assistant", content=[dict(type="text", text="b")])],
    "empty": [dict(role="user", content=""), dict(role="assistant", content="")],
    "none": [dict(role="user", content="a"), dict(role="assistant", content=None, tool_calls=[dict(type="function", function=dict(name="f", arguments={}))]),
             dict(role="tool", content="1"), dict(role="assistant", content="b")],
    "begins": [dict(role="assistant", content="x"), dict(role="user", content="y"), dict(role="assistant", content="z")],
    "developer": [dict(role="developer", content="d"), dict(role="user", content="y"), dict(role="assistant", content="z")],
}
SWITCHES = [{}, dict(enable_thinking=False), dict(enable_thinking=True), dict(date_string="1 Jan", reasoning_effort="high", preserve_thinking=True, clear_thinking=False)]


def load(path):
    spec = importlib.util.spec_from_file_location("cases", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def templates():
    trl = os.path.dirname(importlib.util.find_spec("trl").origin)
    for path in sorted(glob.glob(trl + "/chat_templates/*.jinja")):
        yield "trl/" + os.path.basename(path), open(path, encoding="utf-8").read()
    folder = os.environ.get("SDISTS") or tempfile.mkdtemp()
    if not glob.glob(folder + "/axolotl-*.tar.gz"):
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation", "--no-binary", ":all:", "-d", folder, "axolotl==0.19.0"], check=True)
    with tarfile.open(glob.glob(folder + "/axolotl-*.tar.gz")[0]) as files:
        for member in files:
            if member.name.endswith(".jinja") and "Dockerfile" not in member.name:
                yield "axolotl/" + os.path.basename(member.name), files.extractfile(member).read().decode("utf-8")


def make(script, out):
    import transformers.utils.chat_template_utils as u

    class Fixed(datetime.datetime):
        @classmethod
        def now(cls, tz=None): return cls(2026, 1, 2, 3, 4, 5)
    u.datetime = Fixed
    conversations = {name: c for name, (c, _) in load(script).CONVERSATIONS.items()}
    conversations.update({name: dict(messages=m) for name, m in MORE.items()})
    cases = []
    for name, t in templates():
        for conv, c in conversations.items():
            for agp in (True, False):
                for switch in SWITCHES:
                    tokens = dict(bos_token="<s>", eos_token="</s>", **switch)
                    ref = err = spans = None
                    # As apply_chat_template does before it renders.
                    messages = u._alias_reasoning_fields(u._normalize_chat_messages(copy.deepcopy(c["messages"])))
                    try:
                        texts, marks = u.render_jinja_template(
                            [copy.deepcopy(messages)], tools=copy.deepcopy(c.get("tools")), chat_template=t, add_generation_prompt=agp,
                            return_assistant_tokens_mask="generation" in t, **tokens)
                        ref, spans = texts[0], [list(m) for m in marks[0]] if marks else []
                    except Exception as e:
                        err = type(e).__name__ + ": " + str(e)[:300]
                    ctx = dict(messages=messages, tools=c.get("tools"), documents=None, add_generation_prompt=agp, **tokens)
                    cases.append(dict(file=name, conv=conv, t=t, ctx=ctx, ref=ref, spans=spans, err=err))
    json.dump(cases, open(out, "w", encoding="utf-8"), ensure_ascii=False)
    print(len(set(c["file"] for c in cases)), "templates,", len(cases), "cases,", sum(c["err"] is not None for c in cases), "refused by transformers")


def compare(cases, results):
    cases, results = json.load(open(cases, encoding="utf-8")), json.load(open(results, encoding="utf-8"))
    assert len(cases) == len(results), (len(cases), len(results))
    kinds, shown = Counter(), Counter()
    for c, r in zip(cases, results):
        if c["err"]:
            kind = "refused too" if "err" in r else "rendered where transformers refuses"
        else:
            kind = "refused" if "err" in r else "wrong text" if r["out"] != c["ref"] else "wrong marks" if r["spans"] != c["spans"] else "right"
        kinds[kind] += 1
        shown[(c["file"], kind)] += 1
        if kind not in ("right", "refused too") and shown[(c["file"], kind)] <= 2:
            got, want = r.get("err") or r["out"], c["ref"] or c["err"]
            i = next((i for i, (x, y) in enumerate(zip(got, want)) if x != y), min(len(got), len(want)))
            print(c["file"], c["conv"], kind, repr(got[max(0, i - 20):i + 80]), "|", repr(want[max(0, i - 20):i + 80]), r.get("spans"), c["spans"])
    print(dict(kinds))
    return set(kinds) - {"right", "refused too"} != set()


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3])
    elif len(sys.argv) == 4 and sys.argv[1] == "compare":
        sys.exit(compare(sys.argv[2], sys.argv[3]))
    else:
        sys.exit(__doc__)
