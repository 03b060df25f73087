"""Random small templates, rendered by Jinja2 in the environment of transformers, and compared with ./tokentune chat --cases.

    python chat-fuzz.py make SEED COUNT CASES.json
    ./tokentune chat --cases CASES.json --now 2026-01-02T03:04:05 --json RESULTS.json
    python chat-fuzz.py compare CASES.json RESULTS.json

A template that Jinja2 renders must give the same text or be refused, and one that it refuses must be refused. Templates whose text holds an
address of Python are left out.
"""
import datetime
import json
import random
import sys
import warnings
from collections import Counter

import transformers.utils.chat_template_utils as u

VARIABLES = {
    "messages": [{"role": "user", "content": " Hi "}, {"role": "assistant", "content": "x\ny", "tool_calls": [{"id": 1, "args": {"q": "é𝄞", "n": [1, 2.5, None]}}]}, {"role": "user", "content": ""}],
    "xs": [3, 1, 2, 3], "ws": ["b", "A", " c", "a"], "d": {"b": 1, "a": [1, 2.0, None, True, "x'y"], "C": {"n": -0.5}}, "e": [], "z": None, "t": True, "f": 1.5, "n": -7, "s": "  a,b,,c \t", "u": "a𝄞é東", "m": "one\n\n two\r\nthree\n",
}
ATOMS = ["messages", "messages[0]", "messages[1].tool_calls", "xs", "ws", "d", "e", "z", "t", "f", "n", "s", "u", "m", "nope", "d.zz", "d.a", "ns", "ns.x", "loop", "x", "0", "1", "-1", "2", "10", "1.0", "0.1", "2.5e10", "'a'", "''", "'x y'", "\"it's\"", "'<b>'", "'a\\nb'",
         "true", "False", "none", "[]", "[1, 'a', none]", "(1, 2)", "()", "{}", "{'k': 1, 2: 'v'}", "range(4)", "'12'", "'é'", "12345678901234567890", "d.items()", "f1", "d['items']", "'%s|%s'", "'{}-{}'", "['b', 'a']", "('<' | e)", "('&' | safe)"]
FILTERS = ["abs", "capitalize", "count", "default('q')", "default('q', true)", "d", "dictsort", "dictsort(by='value')", "dictsort(reverse=true)", "e", "escape", "first", "last", "float", "format(1, 'b')", "forceescape", "indent", "indent(2, true)", "indent(1, blank=true)", "int", "int(default=5)",
           "int(base=8)", "items | list", "join", "join(', ')", "length", "list", "lower", "upper", "map('upper') | list", "map(attribute='role') | list", "map(attribute='a.0') | list", "max", "min", "reject('odd') | list", "select('string') | list", "select | list", "rejectattr('role') | list",
           "selectattr('role', 'eq', 'user') | list", "replace('a', 'ZZ')", "replace('', '-')", "replace('a', '<', 1)", "reverse | list", "round", "round(1)", "round(1, 'floor')", "safe", "sort", "sort(reverse=true)", "sort(case_sensitive=true)", "string", "sum", "sum(start=10)", "title", "tojson", "tojson(indent=2)",
           "tojson(sort_keys=true)", "tojson(ensure_ascii=true)", "tojson(separators=(',', ':'))", "trim", "trim('a')", "truncate(5)", "truncate(4, true, '')", "unique | list", "wordcount", "batch(2) | list", "batch(3, 0) | list", "slice(2) | list", "groupby('role')", "center(9)", "attr('role')", "nofilter",
           "map('length') | list", "map('tojson') | join", "select('in', [1, 2]) | list", "list | length", "map('int') | sum", "string | length", "tojson | length"]
TESTS = ["defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping", "iterable", "sequence", "callable", "odd", "even", "divisibleby 3", "lower", "upper", "escaped", "in xs", "in 'abc'", "eq 1", "ne 'a'", "gt 1", "lt(2)", "ge 1.0", "sameas none", "filter", "test", "notest"]
METHODS = ["strip()", "strip('a ')", "lstrip()", "rstrip('\\n')", "split()", "split(',')", "split(',', 1)", "rsplit(' ', 1)", "splitlines()", "startswith('a')", "endswith(('b', ' '))", "upper()", "lower()", "title()", "capitalize()", "swapcase()", "replace('a', 'b')", "replace(' ', '', 1)", "find('a')", "rfind('b')", "index('a')",
           "count('a')", "join(ws)", "join('xy')", "format(1, 2)", "zfill(5)", "center(8, '*')", "ljust(5)", "rjust(6)", "isdigit()", "isalpha()", "isspace()", "isupper()", "istitle()", "partition(',')", "removeprefix('a')", "get('b')", "get('q', 1)", "items()", "keys()", "values() | list", "keys() | list", "copy()", "count(1)",
           "append(1)", "update({})", "nosuch()", "role", "content", "b", "n", "0", "length", "index", "index0", "last", "nextitem", "x"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
SUBSCRIPTS = ["0", "-1", "1:", ":2", "::-1", "-2:", "1:9:2", ":", "'a'", "'role'", "x", "5", "2::-1", "none:1", "nope", "true", "::0", "1.0"]

warnings.simplefilter("ignore", SyntaxWarning)


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def expression(self, depth):
        r = self.r
        if depth <= 0 or r.random() < 0.12:
            return r.choice(ATOMS)
        kind = r.randrange(20)
        one = lambda: self.expression(depth - 1)
        if kind < 6:
            return f"{self.operand(depth)} | {r.choice(FILTERS)}"
        if kind < 9:
            return f"{self.operand(depth)}.{r.choice(METHODS)}"
        if kind < 12:
            return f"{one()} {r.choice(BINARY)} {one()}"
        if kind < 13:
            return f"{self.operand(depth)} is {r.choice(['', 'not '])}{r.choice(TESTS)}"
        if kind < 15:
            return f"{self.operand(depth)}[{r.choice(SUBSCRIPTS)}]"
        if kind == 15:
            return f"({one()} if {one()} else {one()})" if r.random() < 0.8 else f"({one()} if {one()})"
        if kind == 16:
            return r.choice(["not ", "-", "+"]) + one()
        if kind == 17:
            return f"[{one()}, {one()}]" if r.random() < 0.5 else "{" + f"'k': {one()}, {r.choice(ATOMS)}: {one()}" + "}"
        if kind == 18:
            return f"f1({one()}{r.choice(['', ', b=' + one(), ', ' + one()])})"
        return f"({one()})"

    def operand(self, depth):
        text = self.expression(depth - 1)
        return f"({text})" if self.r.random() < 0.6 else text

    def space(self):
        return self.r.choice(["", " ", "\n", "  \n ", "\t", "\n\n", " a ", "b\n", "\n  ", "é", "\r\n", "{# c #}", "{#- c -#}\n"])

    def tag(self, text):
        r = self.r
        return "{%" + r.choice(["", "", "-", "-", "+"]) + " " + text + " " + r.choice(["", "", "", "-", "+"]) + "%}"

    def block(self, depth, loop=False):
        return "".join(self.space() + self.statement(depth, loop) for _ in range(self.r.randrange(1, 4))) + self.space()

    def statement(self, depth, loop=False):
        r = self.r
        kind = r.randrange(16) if depth > 0 else 0
        e = lambda d=2: self.expression(r.randrange(d + 1))
        b = lambda lp=loop: self.block(depth - 1, lp)
        t = self.tag
        if kind < 6:
            return "{{" + r.choice(["", "-"]) + " " + e(3) + " " + r.choice(["", "-"]) + "}}"
        if kind < 8:
            middle = t("elif " + e()) + b() if r.random() < 0.3 else ""
            return t("if " + e()) + b() + middle + (t("else") + b() if r.random() < 0.5 else "") + t("endif")
        if kind < 11:
            target = r.choice(["x", "x", "x", "x, y", "s"])
            test = r.choice(["", "", "", " if " + e(1), " if x is odd"])
            return t(f"for {target} in {e(1)}{test}") + b(True) + (t("else") + b() if r.random() < 0.3 else "") + t("endfor")
        if kind < 12:
            return t(f"set {r.choice(['x', 's', 'q', 'ns.x', 'a, b'])} = {e()}")
        if kind == 12:
            name = r.choice(["x", "q", "ns.x", "q | upper", "x | trim | length"])
            return t("set " + name) + b() + t("endset")
        if kind == 13:
            return r.choice([t("filter " + r.choice(["upper", "trim", "indent(2)", "replace('a', 'b')"])) + b() + t("endfilter"), t(f"with x = {e()}, q = {e(1)}") + b() + t("endwith"), t("generation") + b(False) + t("endgeneration"),
                             t("raw") + " {{ a }} {% b %} " + t("endraw")])
        if kind == 14:
            if loop:
                return t(f"if {e(1)}") + t(r.choice(["break", "continue"])) + t("endif")
            return t(f"macro g(x, y={e(1)})") + b(False) + t("endmacro") + "{{ g(" + e(1) + ") }}"
        return r.choice([t("call(v) f2(" + e(1) + ")") + b(False) + "{{ v }}" + t("endcall"), "{{ loop.index if loop }}{{ loop.changed(" + e(1) + ") if loop is defined }}"])


PREAMBLE = "{% set ns = namespace(x=1) %}{% macro f1(a, b=2) %}<{{ a }}:{{ b }}>{% endmacro %}{% macro f2(a) %}[{{ caller(a) }}]{% endmacro %}"


class Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 2, 3, 4, 5)


def make(seed, count, file):
    u.datetime = Fixed
    maker, cases = Maker(seed), []
    while len(cases) < count:
        template = PREAMBLE + maker.block(maker.r.randrange(3))
        case = dict(t=template, ctx=VARIABLES, ref=None, err=None)
        try:
            case["ref"] = u._cached_compile_jinja_template(template).render(**json.loads(json.dumps(VARIABLES)))
        except Exception as e:
            case["err"] = f"{type(e).__name__}: {e}"[:300]
        if case["ref"] is None or " at 0x" not in case["ref"] and len(case["ref"]) < 100000:
            cases.append(case)
    json.dump(cases, open(file, "w", encoding="utf-8"), ensure_ascii=False)
    print(len(cases), "templates,", sum(c["err"] is None for c in cases), "are rendered by Jinja2")


def compare(cases, results, show=20):
    cases, results = json.load(open(cases, encoding="utf-8")), json.load(open(results, encoding="utf-8"))
    assert len(cases) == len(results)
    table, wrong = Counter(), []
    for c, r in zip(cases, results):
        if c["err"] is None:
            kind = "refused" if "err" in r else "right" if r["out"] == c["ref"] else "WRONG"
        else:
            kind = "refused by both" if "err" in r else "RENDERED ALL THE SAME"
        table[kind] += 1
        if kind in ("WRONG", "RENDERED ALL THE SAME", "refused"):
            wrong.append((kind, c, r))
    print(dict(table))
    wrong.sort(key=lambda w: (w[0] == "refused", len(w[1]["t"])))
    for kind, c, r in wrong[:show]:
        print(kind, repr(c["t"].removeprefix(PREAMBLE)), "\n    Jinja2:", repr(c["ref"] or c["err"])[:300], "\n    here:  ", repr(r.get("out") or r.get("err"))[:300])
    return table["WRONG"] + table["RENDERED ALL THE SAME"] > 0


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] == "make":
        make(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    elif len(sys.argv) == 4 and sys.argv[1] == "compare":
        sys.exit(compare(sys.argv[2], sys.argv[3]))
    else:
        sys.exit(__doc__)
