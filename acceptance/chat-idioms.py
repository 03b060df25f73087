"""Small templates, each an idiom of chat templates, as Jinja2 3.1.6 renders them in the environment of transformers 5.24.0.

    python -m venv v && v/bin/pip install transformers==5.24.0 jinja2==3.1.6
    v/bin/python acceptance/chat-idioms.py chat/src/test/resources/idioms.json

The file holds the variables that all of them are given, and for each template the text, or why Jinja2 refuses it. IdiomsTest compares.
"""
import datetime
import json
import sys

import transformers.utils.chat_template_utils as u

VARIABLES = {
    "messages": [
        {"role": "system", "content": " Be brief. "},
        {"role": "user", "content": "Hi <b>&'\"\n there"},
        {"role": "assistant", "content": "naïve 東京 𝄞 done"},
        {"role": "user", "content": ""},
    ],
    "items": [3, 1, 2, 3, 10],
    "words": ["b", "A", "c", "a", "B"],
    "d": {"b": 1, "a": [1, 2.0, None, True, "x'y"], "C": {"n": {"k": -0.5}}, "items": 5, "é": "ü"},
    "rows": [{"n": "x", "v": 2, "t": True}, {"n": "y", "v": 1, "t": False}, {"n": "X", "v": 3}],
    "big": 12345678901234567890,
    "f": 1.0,
    "g": 0.1,
    "huge": 1e300,
    "none": None,
    "yes": True,
    "no": False,
    "empty": [],
    "s": "  a,b,,c \t",
    "u": "a𝄞é東\u00a0z",
    "multi": "one\n\n  two\r\nthree\n",
    "tree": [{"v": 1, "c": [{"v": 2, "c": []}, {"v": 3, "c": [{"v": 4, "c": []}]}]}, {"v": 5, "c": []}],
    "bos_token": "<s>",
}

# Those that the issue names.
NAMED = r"""
A{%- if yes -%}  b  {%- endif -%}  C
  {% if yes %}
  x
  {% endif %}
a  {% if yes %}b{% endif %}
{%+ if yes %}x{% endif %}
  {%+ if yes %}x{% endif +%}
{% if yes +%}
x{% endif %}
 {# comment #}
x {# c #} y
{{ "a" }}
b
{% set x = 1 -%}   y
  {{- "z" -}}   w
{{ not 1 == 2 }} {{ not "a" in "abc" }} {{ not 1 }} {{ "a" not in "b" }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 == True }} {{ 3 > 2 >= 2 != 1 }}
{{ 1 + 2 ~ 3 * 2 }}
{{ "a" ~ 1 ~ none ~ yes ~ 1.0 }} {{ 7 % 3 }} {{ "%s-%d" % ("a", 3) }}
{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 // -2 }} {{ 7 % -3 }} {{ -7.5 // 2 }} {{ -7.5 % 2 }} {{ 7 / 2 }} {{ 6 / 2 }}
{% for m in messages if m.role == "user" %}{{ loop.index }}/{{ loop.length }}{{ m.content }}{% else %}none{% endfor %}
{% for x in empty %}x{% else %}nothing{% endfor %}{% for x in items if x > 99 %}x{% else %}none over{% endfor %}
{% for x in items %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{{ loop.changed(x > 2) }};{{ loop.cycle("a", "b") }} {% endfor %}
{% for x in items %}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.index0 }}{{ loop.depth }} {% endfor %}
{% macro f(n) %}{{ n }}{% if n > 0 %}-{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}
{% macro box(t) %}[{{ t }}:{{ caller("x") }}]{% endmacro %}{% call(v) box("a") %}{{ v }}!{% endcall %}
{% set ns = namespace(a=1, b="x") %}{% for x in items %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}{{ ns.b }}
{% set t | upper | trim %} hello {{ 1 }} {% endset %}<{{ t }}>
{% for x in items %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 10 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% set a = 1 %}{% for x in items %}{% set a = a + x %}{{ a }} {% endfor %}{{ a }}
{% set a = 1 %}{% if yes %}{% set a = 2 %}{% endif %}{{ a }}{% with a = 3 %}{{ a }}{% set a = 4 %}{% endwith %}{{ a }}
{{ u[::-1] }}|{{ u[1:3] }}|{{ u[-2:] }}|{{ u[4:0:-2] }}|{{ items[::2] }}|{{ items[-1] }}|{{ items[10:] }}|{{ u[1] }}
{{ s.strip() }}|{{ s.strip(" a\t") }}|{{ "xxaxx".lstrip("x") }}|{{ "</think>a".rstrip("a") }}|{{ "abc".strip("") }}
{{ s.split(",") }}{{ "a.b.c".split(".", 1) }}{{ "  a  b ".split() }}{{ "a</think>b</think>c".split("</think>")[-1] }}{{ "".split("x") }}
{{ "abc".startswith("ab") }}{{ "abc".endswith(("x", "c")) }}{{ "abc".upper() }}{{ "they're bill's".title() }}{{ "aXa".replace("a", "b", 1) }}
{{ "{} {1}".format(1) if no else "{0}-{x:>5}|{1:.2f}".format("a", 3.14159, x=7) }}{{ ", ".join(words) }}{{ "hello".find("l") }}{{ "a".find("z") }}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{{ d.get("b") }}{{ d.get("zz") }}{{ d.get("zz", 7) }}{{ d.keys() | list }}
{{ x is defined }}{{ none is none }}{{ d is mapping }}{{ "a" is string }}{{ d is iterable }}{{ d is sequence }}{{ 1 is number }}{{ 1 is in items }}{{ 1 is eq 1 }}
{{ d | tojson }}
{{ d | tojson(indent=2) }}
{{ messages[1] | tojson }}{{ {"a": "é"} | tojson(ensure_ascii=true) }}{{ [] | tojson(indent=1) }}{{ {} | tojson }}
{{ rows | selectattr("t", "defined") | map(attribute="n") | list }}{{ rows | rejectattr("v", "gt", 1) | list }}{{ rows | selectattr("t") | list }}
{{ words | map("upper") | join("-") }}{{ d | dictsort }}{{ {"b": 1, "A": 2} | dictsort(true) }}{{ {"x": 2, "y": 1} | dictsort(by="value", reverse=true) }}
{{ nope | default("x") }}{{ "" | default("y", true) }}{{ none | default("z") }}{{ none | d("w", boolean=True) }}
{{ multi | indent }}|{{ multi | indent(2, first=true) }}|{{ multi | indent(1, true, true) }}|{{ "a\nb" | indent("> ") }}
{{ s | trim }}|{{ "abc" | list }}|{{ u | length }}|{{ d | length }}|{{ words | unique | list }}|{{ "xax" | trim("x") }}
{% for g, l in rows | groupby("n") %}{{ g }}:{{ l | length }} {% endfor %}{{ (rows | groupby("v"))[0].grouper }}
{% for b in items | batch(2, "-") %}{{ b }}{% endfor %}{{ items | batch(3) | list }}
{{ "<b>" | escape }}{{ "<b>" | e ~ "<i>" }}{{ "<b>" | safe + "<i>" }}{{ "<i>" + ("<b>" | safe) }}{{ "<a>" | e | e }}{{ ("%s" | safe) % "<" }}
{{ yes }}{{ none }}{{ f }}{{ [1, 2.5, "a'b", none, {"k": (1,)}] }}{{ {"a": "\n", 1: "\\"} }}{{ () }}{{ 1e16 }}{{ 1e-5 }}{{ 0.1 + 0.2 }}
{{ big + 1 }} {{ big * big }} {{ 2 ** 70 }} {{ 9007199254740993 }} {{ big | tojson }}
{{ nope }}|
{{ nope.x }}
{{ d.zz.y }}
{{ d.zz }}|{{ d["zz"] }}|{{ items[99] }}
{{ "a" | nofilter }}
{{ "a" is notest }}
{% nosuch %}
{{ "a".nosuch() }}
{{ raise_exception("Only user & assistant, please: " ~ messages[0].role) }}
{{ strftime_now("%d %b %Y|%A %B %j %H:%M:%S %p %y|%e|%-d|%I|%F %T|%U %W %V %G %u %w|%%|%c|%x %X|%D %R|%h %C %g|%k %l|%r|%z%Z|%f|%q") }}
{% generation %}{{ messages[2].content }}{% endgeneration %}x
{% for m in messages %}{% generation %}{{ m.role }}
{% endgeneration %}
{% endfor %}
"""

# More.
OTHERS = r"""
{{ "a" "b" 'c' }}
{{ 'it\'s' }} {{ "a\tb\n\x41\u00e9\\ \q" }}
{{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1.5e3 }} {{ 2e-7 }} {{ 1_0.5 }}
{{ 100000000000000000000.0 }} {{ 123456789012345680.0 }} {{ 1e22 }} {{ 1e15 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }} {{ -0.0 }} {{ 2e-4 }}
{{ huge * 1e10 }} {{ huge | int }} {{ 0.1 | tojson }} {{ 1e100 | tojson }}
{{ "nan" | float }} {{ "inf" | float }} {{ "-inf" | float | tojson }} {{ ("nan" | float) == ("nan" | float) }}
{{ true and 1 }} {{ 0 or "x" }} {{ "" or none }} {{ 1 and 0 and 2 }} {{ not none }}
{{ "yes" if items else "no" }} {{ "a" if no }}| {{ 1 if 0 else 2 if 0 else 3 }}
{{ ("a" if no).x }}
{{ (1, 2) + (3,) }} {{ [1] + [2] }} {{ [0] * 3 }} {{ "ab" * 2 }} {{ 2 * "x" }} {{ "x" * -1 }}
{{ "a" + 1 }}
{{ 1 + "a" }}
{{ [] + () }}
{{ "a" < 1 }}
{{ none < 1 }}
{{ [1, 2] < [1, 3] }} {{ (1, 2) >= (1,) }} {{ "a" < "B" }} {{ "𝄞" > "\uffff" }} {{ yes < 2 }}
{{ {"a": 1, "b": 2} == {"b": 2, "a": 1.0} }} {{ [1] == (1,) }} {{ nope == nada }} {{ nope == none }} {{ 1 == true }} {{ "1" == 1 }}
{{ 2 ** 3 ** 2 }} {{ 2 ** -1 }} {{ -2 ** 2 }} {{ 4 ** 0.5 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ -3 | abs }} {{ 3.7 | int }} {{ "42" | int }} {{ "x" | int(7) }} {{ "0x1f" | int(base=16) }} {{ " 12 " | int }} {{ "1.9" | int }} {{ none | int }} {{ "3.5" | float }} {{ "q" | float(1.5) }}
{{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 7 | round }} {{ 1.21 | round(1, "ceil") }} {{ 1.29 | round(1, "floor") }} {{ 1234 | round(-2) }}
{{ items | sum }} {{ rows | sum(attribute="v") }} {{ items | min }} {{ items | max }} {{ empty | max }} {{ words | min }} {{ rows | max(attribute="v") }}
{{ items | sort }} {{ words | sort }} {{ words | sort(case_sensitive=true) }} {{ items | sort(reverse=true) }} {{ rows | sort(attribute="v") | map(attribute="n") | join }}
{{ rows | sort(attribute="n,v") | map(attribute="v") | list }}
{{ [1, "a"] | sort }}
{{ items | first }} {{ items | last }} {{ empty | first }}| {{ "abc" | first }} {{ "abc" | last }} {{ d | last }} {{ items | reverse | list }} {{ "abc" | reverse }}
{{ items | select("odd") | list }} {{ items | reject("gt", 2) | list }} {{ [0, "", 1] | select | list }} {{ [0, 1, none] | reject | list }}
{{ items | map("string") | join("+") }} {{ [[1, 2], [3]] | map("length") | list }} {{ rows | map(attribute="t", default="?") | list }} {{ [" a "] | map("trim") | first }}
{{ items | map("nofilter") | list }}
{{ d | items | list }} {{ nope | items | list }}
{{ items | items | list }}
{{ rows | map(attribute="n") | length }}
{{ rows | map(attribute="n") | tojson }}
{{ items | tojson(separators=(",", ":")) }} {{ d | tojson(sort_keys=true) }} {{ {"b": [1, {}], "a": ()} | tojson(indent=4, sort_keys=true) }}
{{ "\u2028 \x7f \b\f</script>'" | tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }} {{ "𝄞é" | tojson(ensure_ascii=true) }}
{{ {(1, 2): 3} | tojson }}
{{ nope | tojson }}
{{ {"a": nope} | tojson }}
{{ items[1:] | join(", ") }} {{ rows | join("; ", attribute="n") }} {{ nope | join }}| {{ "abc" | join("-") }} {{ d | join }}
{{ "hello world foo" | truncate(9) }} {{ "hello world foo" | truncate(9, true) }} {{ "hello world foo" | truncate(10, false, "!", 0) }} {{ "hello" | truncate(3, leeway=5) }}
{{ "hello big-world (x) [y" | title }} {{ "hELLO" | capitalize }} {{ "ABC" | lower }} {{ "straße" | upper }} {{ "a b  c_d" | wordcount }} {{ "x" | center(5) }}|
{{ "%s and %r" | format("a", "b") }} {{ "%(x)05.1f|%(y)-4d|" | format(x=2.25, y=7) }} {{ "%x %o %e %g %c %%" % (255, 8, 12345.678, 0.0001, "z") }} {{ "%+d % d %#x" % (1, 2, 255) }}
{{ "%s" % [1, "a"] }} {{ "%s" % nope }}| {{ "%(k)s" % {"k": none} }} {{ "%5s|%-5s|%.1s" % ("a", "b", "cd") }}
{{ "%d" % "x" }}
{{ "%s %s" % "x" }}
{{ "%s" % (1, 2) }}
{{ "{:>8}|{:<8}|{:^8}|{:*^8}".format("a", "b", "c", "d") }} {{ "{:,} {:_} {:+} {:08.3f} {:e} {:%} {:x} {:#b}".format(1234567, 1234567, 5, 3.14159, 12345.6, 0.25, 255, 5) }}
{{ "{a[b]} {0.x} {{}}".format({"x": 1}, a={"b": 2}) }} {{ "{!r:>5} {!s}".format("a", "b") }} {{ "{:{w}}|".format("a", w=4) }} {{ "{:g} {:.3} {}".format(1e10, 2.0, 1.5) }}
{{ "{}".format() }}
{{ "{x}".format(1) }}
{{ "a,b".partition(",") }} {{ "a,b,c".rpartition(",") }} {{ "ab".partition("x") }} {{ "a b c".rsplit(" ", 1) }} {{ "a\nb\r\nc\n".splitlines() }} {{ "a\nb".splitlines(true) }}
{{ "abcabc".count("b") }} {{ "abcabc".rfind("b") }} {{ "abc".index("c") }} {{ "𝄞b".find("b") }} {{ "aaa".count("") }} {{ "abc".find("c", -1) }} {{ "abc".startswith("b", 1) }}
{{ "abc".index("z") }}
{{ "7".zfill(3) }} {{ "-7".zfill(4) }} {{ "a".center(4, "*") }} {{ "ab".ljust(4) }}| {{ "ab".rjust(4, ".") }} {{ "aB".swapcase() }} {{ "aBC".capitalize() }} {{ "HELLO".casefold() }}
{{ "abc".isalpha() }} {{ "12".isdigit() }} {{ "a1".isalnum() }} {{ " ".isspace() }} {{ "Ab Cd".istitle() }} {{ "A".isupper() }} {{ "".isalpha() }} {{ "²".isdigit() }} {{ "½".isnumeric() }}
{{ "prefix-x".removeprefix("prefix-") }} {{ "x.py".removesuffix(".py") }} {{ "a".join(["1", "2"]) }} {{ "".join(["x"]) }}
{{ ",".join([1]) }}
{{ "a".split("") }}
{{ "AbC".lower().upper()[0:2].replace("B", "") }} {{ ("a" ~ "b").upper() }} {{ "abc"[1] }} {{ "abc"[-1] }} {{ "abc"[5] }}|{{ "abc"["x"] }}
{{ [1, 2, 3].index(2) }} {{ [1, 1].count(1) }} {{ (1, 2).index(2) }} {{ [1, 2, 3][1:] }} {{ (1, 2, 3)[::-1] }} {{ range(5)[1:3] }} {{ range(3) }} {{ range(1, 7, 2) | list }} {{ range(3, 0, -1) | list }}
{{ items.append(4) }}
{{ d.update({"x": 1}) }}
{{ d.pop("b") }}
{{ d.pop }}|{{ "a".__class__ }}|{{ d.__len__ }}
{{ "a".__class__.__name__ }}
{{ d["items"] }} {{ d.C.n.k }} {{ d["C"]["n"] }} {{ d.é }} {{ d.a[0] }} {{ d.a.0 }} {{ d.values() | list }} {{ d.items() | first }}
{{ {"a": 1}.items() }} {{ {"a": 1}.keys() }} {{ {"a": 1}.values() }} {{ {"a": 1}.copy() }}
{{ {[1]: 2} }}
{{ [1] in {} }}
{{ 1 in {1: 2} }} {{ 2 in (1, 2) }} {{ "x" in nope }} {{ "" in "abc" }} {{ none in [none] }} {{ 1.0 in [1] }} {{ 3 in range(5) }} {{ "b" in d }} {{ "b" in d.keys() }}
{{ 1 in "abc" }}
{{ 1 in 5 }}
{{ "a" in none }}
{{ nope in ["a"] }} {{ nope is undefined }} {{ nope | length }} {{ nope | upper }}| {{ nope | list }} {{ nope ~ "x" }} {% for x in nope %}{% else %}e{% endfor %}
{{ nope + "a" }}
{{ nope < 1 }}
{{ nope() }}
{{ nope[0] }}
{{ -nope }}
{{ [nope] }} {{ nope | string }}| {{ nope | default(none) }} {{ nope and 1 }}| {{ nope or 2 }} {{ not nope }} {{ nope | trim }}| {{ nope | first }}|
{{ nope | int }}
{% for k in d %}{{ k }},{% endfor %} {% for c in "aé𝄞" %}{{ c }}.{% endfor %} {% for a, b in [[1, 2], (3, 4), "xy"] %}{{ a }}{{ b }} {% endfor %}
{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}
{% for a, b in [1] %}{{ a }}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% for (a, b), c in [((1, 2), 3)] %}{{ a + b + c }}{% endfor %} {% for k, v in d | dictsort %}{{ loop.index }}{{ k }}{% if not loop.last %}, {% endif %}{% endfor %}
{% for x in tree recursive %}{{ x.v }}@{{ loop.depth }}{% if x.c %}({{ loop(x.c) }}){% endif %}{% if not loop.last %},{% endif %}{% endfor %}
{% for x in items %}{% for y in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}
{% for x in items %}{% set o = loop %}{% for y in "ab" %}{{ o.index }}{{ y }}{% endfor %}{% endfor %}
{% for x in items %}{% if loop.first %}{% continue %}{% endif %}{{ x }}{% else %}E{% endfor %} {% for x in [1] %}{% break %}{% else %}E{% endfor %} {% for x in [1] %}{% continue %}{% else %}E{% endfor %}
{% for x in items if x is odd %}{{ loop.index }}:{{ x }}:{{ loop.last }}:{{ loop.nextitem }} {% endfor %}
{% for x in rows | selectattr("v", "ge", 2) %}{{ loop.last }}{{ loop.length }}{{ x.n }} {% endfor %}
{% for m in messages %}{{ loop.changed(m.role) }}{{ loop.previtem.role if loop.previtem is defined }} {% endfor %}
{{ loop }}|{% for x in [1] %}{{ loop }}{% endfor %}{{ x }}
{% macro f(a, b=2, c=a) %}{{ a }},{{ b }},{{ c }};{% endmacro %}{{ f(1) }}{{ f(1, c=3) }}{{ f(b=1, a=0) }}{{ f() }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, x=2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, a=2) }}
{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, x=3) }}{{ f.name }}{{ f.arguments }}{{ f.catch_kwargs }}{{ f }}
{% macro f(a) %}{{ a.x }}{% endmacro %}{{ f() }}
{% macro f() %}{{ caller() if caller }}|{% endmacro %}{{ f() }}{% call f() %}hi{% endcall %}
{% macro f() %}x{% endmacro %}{% call f() %}hi{% endcall %}
{% set x = 5 %}{% macro f() %}{{ x }}{% set x = 6 %}{{ x }}{% endmacro %}{{ f() }}{{ x }}{% set x = 7 %}{{ f() }}
{% macro f(x) -%} {{ x }} {%- endmacro %}[{{ f(1) }}]{{ f(1) | length }}{{ f(2) == "2" }}{{ f(3) is string }}
{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{{ inner }}
{% for x in [1, 2] %}{% macro f() %}{{ x }}{{ loop.index }}{% endmacro %}{{ f() }}{% endfor %}
{{ f() }}{% macro f() %}{% endmacro %}
{% set ns = namespace() %}{{ ns.x }}|{% set ns.x = [] %}{% for i in range(3) %}{% set ns.x = ns.x + [i] %}{% endfor %}{{ ns.x }}{{ ns }}
{% set ns = namespace({"a": 1}, b=2) %}{{ ns.a + ns.b }}{{ ns["a"] }}
{% set d.x = 1 %}
{% set ns = namespace(_x=1) %}
{% set a, b = 1, "x" %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}{% set (e, g) = (3, 4) %}{{ e }}{{ g }}
{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}
{% set a, b = [1] %}
{% set x %}a{{ 1 }}{% set y = 2 %}{% endset %}{{ x }}{{ y }}{{ x | length }}
{% set x | replace("a", "b") | upper %}aXa{% endset %}{{ x }}
{% filter upper %}a{{ "b" }}{% set q = 1 %}{% endfilter %}{{ q }}{% filter trim | length %}  abc {% endfilter %}
{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z }}{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{% set a = 9 %}{% with a = 1, b = a %}{{ b }}{% endwith %}
{% if no %}a{% elif none %}b{% elif "x" %}c{% else %}d{% endif %}{% if not empty and not no or nope %}y{% endif %}
{% if "q" is nofilterhere %}{% endif %}
{% if no %}{{ "a" | nofilter }}{% endif %}ok{{ 1 if yes else ("a" | nofilter) }}
{% if no %}{% for x in items %}{{ x | nofilter }}{% endfor %}{% endif %}ok
{% if yes %}{{ "a" | nofilter }}{% endif %}
{% raw %}{{ x }} {% if %}{% endraw %}!
 {%- raw -%}  {{ x }}  {%- endraw -%}  z
{% print 1, 2 %}{{ 1, 2 }}{{ (1) }}{{ (1,) }}{{ 1, }}
{{ [1, 2,] }}{{ {"a": 1,} }}{{ f }}{{ dict(a=1, b=[2]) }}{{ dict([("x", 1)], y=2) }}{{ dict({"q": 0}) }}
{% set j = joiner("|") %}{% for x in items %}{{ j() }}{{ x }}{% endfor %}{% set c = cycler("a", "b") %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}
{{ range(200000) }}
{{ 1 is odd }} {{ 2 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(4) }} {{ 1.5 is float }} {{ true is integer }} {{ 1 is integer }} {{ true is boolean }} {{ true is number }} {{ false is false }} {{ 1 is true }}
{{ "A" is upper }} {{ "a" is lower }} {{ range is callable }} {{ "x" is callable }} {{ none is sameas none }} {{ "<" | e is escaped }} {{ "upper" is filter }} {{ "odd" is test }} {{ 5 is not none }} {{ not 5 is none }}
{{ 3 is gt 2 }} {{ 3 is lessthan 2 }} {{ 3 is ne 3 }} {{ "a" is in "abc" }} {{ "a" is in ["a"] }} {{ 1 is sameas 1 }} {{ x is defined and x.y }}| {{ yes is true and 3 }}
{{ "a" is string is number }}
{{ 1 is foo.bar }}
{{ (1, 2) | length }} {{ "abc" is sequence }} {{ 5 is iterable }} {{ range(2) is sequence }} {{ namespace() is mapping }} {{ nope is iterable }} {{ nope is sequence }} {{ d.items() is sequence }} {{ rows | map("string") is iterable }}
{{ "a\\nb" }} {{ "\\" }} {{ '"' }} {{ "'" }} {{ ["'", '"', "'\"", "\\", "\n\t\r", "\x00\x7f", "é\u200b\u00a0", "𝄞"] }}
{{ {"k": [true, none, 1.50, "é"]} }} {{ [[], {}, ()] }} {{ {"a": {"b": {}}} }} {{ [("a", 1)] }}
{{ messages | map(attribute="role") | unique | join(",") }} {{ messages[1:] | length }} {{ messages[-1].content == "" }} {{ messages[0]["role"] != "system" }} {{ messages | selectattr("role", "equalto", "user") | list | length }}
{{ messages[2].content[6:8] }} {{ messages[2].content.split(" ")[-1] }} {{ messages[2]["content"] | length }} {{ messages[0].content | trim | lower | replace(".", "!") }}
{{ (messages | last).role }} {{ (messages | rejectattr("role", "in", ["user"]) | first).role }} {{ messages | map(attribute="content") | map("length") | sum }}
{%- set loop_messages = messages[1:] if messages[0]['role'] == 'system' else messages %}{% for m in loop_messages %}{{ m.role[0] | upper }}{% endfor %}
{%- if tools is defined and tools %}T{% endif %}{%- if not tools is defined %}N{% endif %}{{ tools | length if tools else 0 }}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}{%- for message in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}{%- if ns.multi_step_tool and message.role == "user" %}{%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}{%- endif %}{%- endfor %}{{ ns.last_query_index }}
{{ '<think>\n' + 'x'.strip('\n') + '\n</think>\n\n' + 'y'.lstrip('\n') }}{{ "a</think>b".split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') }}
{{ bos_token }}{{ bos_token + "x" }}{{ eos_token }}{{ eos_token is defined }}{{ (eos_token | default("")) + "y" }}
d   {{- "e" }}   f   {{ "g" -}}   h
{{ "}}" }} {{ "%}" }} {{ {"a": {"b": 1}} }} {{ {"a": 1}["a"] }}
{{ "line\
continued" }}
{{ "𝄞"|length }}{{ "𝄞é"|reverse }}{{ "𝄞é"[0] }}{{ "e\u0301"|length }}{{ "ǆ".title() }} {{ "ŉ" | upper }} {{ "ΑΣ".lower() }} {{ "İ".lower() | length }}
{{ "\x1c a \x85".strip() | length }} {{ " a".split() }} {{ "\u200ba".strip() | length }} {{ "a\u2028b".splitlines() | length }} {{ "a\x0bb" | indent(1) }}
{{ 1 if 2 }}{{ [1 if yes, 2] }}{{ 1.nope }}
{{ 5.0 // 2 }} {{ 5 // 2.0 }} {{ 5.5 % -2 }} {{ 1e308 * 10 }} {{ 3 - 2 - 1 }} {{ 2 - -2 }} {{ +3 }} {{ - 3 }} {{ 10 / 4 * 2 }} {{ true + true }}
{{ "a" ~ "b" * 2 }} {{ "x" + "y" ~ 1 }} {{ not true or true }} {{ 1 + 1 == 2 and "a" in "ab" }} {{ 1 == 2 | default(3) }} {{ -1 | abs }} {{ (-1) | abs }} {{ 3 + 2 | float }}
{{ range(3) | list + [9] }} {{ "a" | upper ~ "b" }} {{ [1, 2] | join("a" ~ "b") }} {{ items | length > 3 }} {{ "x" in words | map("lower") }} {{ items | slice(2) | list }} {{ items | slice(3, "-") | list }}
{{ d | attr("b") }}|{{ d | attr("keys") is callable }} {{ "a" | attr("upper") is callable }} {{ "abc" | attr("zz") }}|
{{ "a" | replace("a", "<") }} {{ ("<" | safe) | replace("<", "b") }} {{ "<a>" | safe | upper }} {{ ("<a>" | safe)[0] }} {{ ["<" | safe] }} {{ "<" | forceescape }} {{ ("a" | safe).join(["<", "b"]) }} {{ ["<"] | join("&" | safe) }}
{{ "{}" | safe | string }} {{ ("<{}>" | safe).format("<") }} {{ ("a" | safe) * 2 }} {{ ("a" | safe) ~ "<" }} {{ ("<" | e) in "&lt;" }} {{ ("&" | e).replace("a", "<") }} {{ ("<x>" | safe) | tojson }}
{% set x = "a" %}{% set x = x ~ "b" %}{{ x }}{% set __y = 1 %}{{ __y }}{% set True2 = 3 %}{{ True2 }}
{% set true = 1 %}
{% break %}
{% for x in items %}{% set y %}{% break %}{% endset %}{% endfor %}
{{ 1 +
{{ "a }}
{% if yes %}
{% endif %}
{% for x in items %}{% endif %}
{{ }}
{{ a b }}
{# never closed
{% for x items %}{% endfor %}
{% set 1 = 2 %}
{{ f(1=2) }}
{{ 1 2 }}
{{ !x }}
{{ a..b }}
{{ [1, 2 }}
{{ (1, 2] }}
{% macro f(a=1, b) %}{% endmacro %}
{% call 5 %}{% endcall %}
{{ "\N{BULLET}" }}
{% include "x" %}
{% extends "x" %}
{% import "x" as y %}
"""

# What Jinja2 renders and this project refuses by name: Python's addresses, and what no chat template is known to use.
UNSUPPORTED = r"""
{{ [1, 2] | items }}x
{{ d.items }}
{{ 1.real }}
{% block a %}{% endblock %}
{{ "a".encode() }}
{{ "a".encode is defined }}
{{ "a" | urlize }}
{{ 5 | pprint }}
{{ "a b" | wordwrap(2) }}
{{ lipsum() }}
{{ d.keys().isdisjoint([]) }}
{% autoescape true %}{% endautoescape %}
"""


def templates(text):
    """A template per line."""
    return [line for line in text.split("\n") if line]


LONGER = [
    """{%- for message in messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- 'odd ' + message['role'] }}
    {%- endif %}
{%- endfor %}
""",
    "a\nb\n\n{{- 'c' }}\n  d",
    "{%- if yes %} i {% endif -%}   \n  j\nx{# a\n multi-line -#}   y {#- z -#}  w",
    "{% for x in items %}{% set y %}{{ x }}{% if x == 1 %}{% break %}{% endif %}{% endset %}{{ y }}{% endfor %}{{ y }}",
    "{% for x in items %}{% filter upper %}a{% if x == 1 %}{% continue %}{% endif %}b{% endfilter %}{% endfor %}",
    "{% for x in items %}{% with z = x %}{% if x == 1 %}{% break %}{% endif %}{{ z }}{% endwith %}{% endfor %}",
    "{% for x in items %}{% generation %}{% break %}{% endgeneration %}{% endfor %}",
    "{% raw %}",
    "a\n  {% raw %}\n",
    "a\r\nb\r{% if yes %}\r\nc{% endif %}\r\n",
    "  {% if yes %}\n  x\n  {% endif %}\n",
    "a  {% if yes %}b{% endif %}\n\n",
    "\n\n{% if yes %}\n\nx\n{% endif %}\n\n",
    "{{ 'a' }}\n{{ 'b' }}\n",
    "x\n  {# c #}\n  y\n  {#- c -#}\n z",
    "{% set x = 1 -%}   \n  y",
    "{%+ if yes %}x{% endif +%}\n y",
    "\t {%- if yes +%}\n\n x {% endif %}",
    "{% for x in items %}\n    {{ x }}\n    {% if x > 2 %}\n    big\n    {% endif %}\n{% endfor %}\nend\n",
    "{% raw %}\n a {{ x }}\n  {% endraw %}\nb\n",
    "  {%- raw -%}\n  {{ x }}  \n{%- endraw -%}  z",
    "{% generation %}\n{{ u }}{% endgeneration %}é{% generation %}𝄞{% endgeneration %}",
    "{% for m in messages %}\n{{ m.role }}\n{% generation %}\n{{ m.content }}\n{% endgeneration %}\n{% endfor %}\n",
    "a\x0b{% if yes %}b{% endif %}\n\x0c {% if yes %}c{% endif %}\n\u00a0{% if yes %}d{% endif %}",
    "{{ \"line\\\ncontinued\" }}",
    "{#- a\n b #}\nx {%- set y = 1 %}\n\n z",
    "{{ 'a' -}}\n  {% if yes %} b {% endif %}\n",
    "{{ 'a\r\nb' | length }}",
    "{% if yes %}{% else %}{% endif %}{%if yes%}x{%endif%}{%-if yes-%} y {%-endif-%}",
    "{{{'a': 1}['a']}}",
    "{{- 'x' -}} \u2003 y",
    "{{+ 1 }}{{-1 }}",
    "{% set\n x\n =\n 1\n %}{{\nx\n}}",
]


class Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 2, 3, 4, 5)


def result(template, variables):
    """What transformers renders: the text and where generated text lies, or the error."""
    try:
        compiled = u._compile_jinja_template(template)
        values = u._plain_template_data(json.loads(json.dumps(variables)))
        text = compiled.render(**values)
        blocks, spans = [], []
        with compiled.environment.activate_tracker(blocks, spans):
            for block in compiled.generate(**values):
                blocks.append(block)
        return {"text": text, "spans": spans}
    except RecursionError:
        return {"error": "RecursionError"}
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"}


def main(file):
    u.datetime = Fixed
    named, others = templates(NAMED), templates(OTHERS) + LONGER
    cases = [{"issue": t in named, "template": t, **result(t, VARIABLES)} for t in named + others]
    with open(file, "w", encoding="utf-8") as f:
        json.dump({"variables": VARIABLES, "unsupported": templates(UNSUPPORTED), "cases": cases}, f, ensure_ascii=False, indent=1)
        f.write("\n")
    print(len(named), "idioms of the list,", len(others), "more;", sum("error" in c for c in cases), "are refused")


if __name__ == "__main__":
    main(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
