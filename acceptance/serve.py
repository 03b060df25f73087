"""Asks servers of `tokentune serve`: with OpenAI's client, and with many clients at once, a tenth of whose requests are broken.

Usage: serve.py openai CHAT EMBED CLASSIFY | serve.py load REQUESTS CLIENTS NAME=URL=PID ... | serve.py same URL FILE
"""

import collections
import concurrent.futures
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.parse

KEY = os.environ.get("TOKENTUNE_API_KEY", "")
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer " + KEY}
WORDS = "the a fast slow good bad phone arrived late early works broke cheap box with nice screen and never again".split()


def ask(url, path, body, headers=None):
    """Status and body of an answer; body is text, or what becomes JSON."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
    try:
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        connection.request("POST" if body is not None else "GET", path, text, headers or HEADERS)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def text(rng):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 24)))


def request(kind, rng):
    """Path and body of a request that must succeed."""
    if kind == "classify":
        return "/classify", {"input": [text(rng) for _ in range(rng.randint(1, 3))]}
    if kind == "embed":
        return "/v1/embeddings", {"input": [text(rng) for _ in range(rng.randint(1, 3))], "model": None}
    return "/v1/completions", {
        "prompt": text(rng), "max_tokens": rng.randint(1, 12), "temperature": rng.choice([0, 1]), "seed": rng.randint(0, 9)}


def numbers(kind, answer):
    """What must be the same however often it is asked: texts, and numbers."""
    data = json.loads(answer)
    if kind == "classify":
        return [row["labels"] for row in data["data"]], [x for row in data["data"] for x in row["scores"].values()]
    if kind == "embed":
        return len(data["data"]), [x for row in data["data"] for x in row["embedding"]]
    return data["choices"][0]["text"], []


def same(one, other):
    return one[0] == other[0] and len(one[1]) == len(other[1]) and all(abs(a - b) < 1e-5 for a, b in zip(one[1], other[1]))


def broken(kind, url, rng):
    """Sends a request that cannot be answered; returns how it failed, or None if it was right to."""
    path, body = request(kind, rng)
    field = "prompt" if kind == "generate" else "input"
    cases = [
        ("no JSON", lambda: ask(url, path, json.dumps(body)[:-2]), 400),
        ("no body", lambda: ask(url, path, ""), 400),
        ("no input", lambda: ask(url, path, {"user": "me"}), 400),
        ("a number", lambda: ask(url, path, {**body, field: 3.5}), 400),
        ("an unknown field", lambda: ask(url, path, {**body, "colour": "red"}), 400),
        ("an unknown model", lambda: ask(url, path, {**body, "model": "gpt-" + str(rng.random())}), 404),
        ("no UTF-8", lambda: ask(url, path, b'{"' + field.encode() + b'": "\xff\xfe"}'), 400),
        ("too many bytes", lambda: ask(url, path, {**body, field: "a" * 3_000_000}), 413),
        ("another path", lambda: ask(url, path + "/more", body), 404),
        ("a wrong key", lambda: ask(url, path, body, {**HEADERS, "Authorization": "Bearer wrong"}), 401),
        ("another type", lambda: ask(url, path, body, {**HEADERS, "Content-Type": "text/plain"}), 415),
        ("half a body", lambda: half(url, path, body), None),
        ("nobody waits", lambda: leave(url, path, body), None),
        ("no HTTP", lambda: raw(url, b"\x16\x03\x01\x02\x00 hello\r\n\r\n", True), None),
    ]
    name, send, expected = rng.choice(cases)
    answer = send()
    if expected is None:
        return name, None
    status, said = answer
    if status != expected:
        return name, f"{name}: {status} in place of {expected}: {said[:200]}"
    error = json.loads(said)["error"]
    if not error["message"] or set(error) != {"message", "type", "param", "code"}:
        return name, f"{name}: {said[:200]}"
    return name, None


def raw(url, data, wait):
    address = urllib.parse.urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(data)
        if wait:
            connection.recv(100)


def head(path, length):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n").encode()


def half(url, path, body):
    data = json.dumps(body).encode()
    raw(url, head(path, len(data)) + data[: len(data) // 2], False)


def leave(url, path, body):
    data = json.dumps({**body, "stream": True, "max_tokens": 300} if path.endswith("completions") else body).encode()
    raw(url, head(path, len(data)) + data, False)


def memory(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) / 1000 for line in file if line.startswith("VmRSS"))


def live(url, pid):
    """Megabytes on the heap that are in use after a collection."""
    subprocess.run(["jcmd", pid, "GC.run"], check=True, stdout=subprocess.DEVNULL)
    _, metrics = ask(url, "/metrics", None)
    return next(float(line.split()[1]) / 1e6 for line in metrics.splitlines() if line.startswith("tokentune_heap_bytes "))


def load(total, clients, servers):
    kinds = [name for name, _, _ in servers]
    urls = {name: url for name, url, _ in servers}
    known = {}
    for kind in kinds:
        for i in range(60):
            path, body = request(kind, random.Random(f"{kind} {i}"))
            status, answer = ask(urls[kind], path, body)
            if status != 200:
                sys.exit(f"{kind} alone: {status} {answer[:300]}")
            known[kind, i] = path, body, numbers(kind, answer)
    counts = collections.Counter()
    wrong = []
    rows = []

    def note(done):
        rows.append([done] + [memory(pid) for _, _, pid in servers] + [live(url, pid) for _, url, pid in servers])

    def one(number):
        rng = random.Random(number)
        kind = rng.choice(kinds)
        if number % 10 == 0:
            name, failure = broken(kind, urls[kind], rng)
            return "broken: " + name, failure
        path, body, expected = known[kind, rng.randrange(60)]
        while True:
            status, answer = ask(urls[kind], path, body)
            if status != 429:
                break
            time.sleep(0.2)
        if status != 200:
            return kind, f"{kind}: {status} {answer[:200]}"
        got = numbers(kind, answer)
        return kind, None if same(expected, got) else f"{kind}: {body} gave {str(got)[:200]}, alone {str(expected)[:200]}"

    begin = time.time()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        for done, (kind, failure) in enumerate(pool.map(one, range(total))):
            if done % (total // 10) == 0:
                note(done)
            counts[kind] += 1
            if failure:
                wrong.append(failure)
    note(total)
    print(f"{total} requests of {clients} clients in {time.time() - begin:.0f} s; answered:")
    for kind, count in sorted(counts.items()):
        print(f"  {kind}: {count}")
    print("memory in MB (resident, with a heap of one size, and live on the heap) after how many requests: " + ", ".join(kinds))
    for row in rows:
        print(f"  {row[0]:6d}: " + ", ".join(f"{x:.0f}" for x in row[1:]))
    for kind in kinds:
        _, metrics = ask(urls[kind], "/metrics", None)
        print(f"{kind}: " + ", ".join(line for line in metrics.splitlines() if "under_way " in line and line[0] != "#"))
        if "tokentune_requests_under_way 0.0" not in metrics:
            wrong.append(f"{kind}: requests are still under way")
    middle = len(rows) // 2
    for column, kind in enumerate(kinds + [kind + ", heap" for kind in kinds], 1):
        half_way, end = (max(row[column] for row in part) for part in (rows[:middle + 1], rows[middle + 1:]))
        under_way = 10 if kind.endswith("heap") else 0  # megabytes of bodies, some of them too large
        if total >= 5000 and end > 1.05 * half_way + under_way:  # before, plans of new shapes still take memory
            wrong.append(f"{kind}: memory grew from {half_way:.0f} to {end:.0f} MB")
    print(f"{len(wrong)} wrong or lost")
    for failure in wrong[:20]:
        print("  " + failure)
    sys.exit(1 if wrong else 0)


def openai_client(chat_url, embed_url, classify_url):
    import openai

    chat = openai.OpenAI(base_url=chat_url + "/v1", api_key=KEY, max_retries=0)
    model = chat.models.list().data[0].id
    prompt = dict(model=model, prompt="Once upon a time", max_tokens=20, temperature=0)
    whole = chat.completions.create(**prompt)
    pieces = "".join(chunk.choices[0].text for chunk in chat.completions.create(stream=True, **prompt))
    assert whole.choices[0].text == pieces and whole.usage.completion_tokens == 20, (whole, pieces)
    messages = dict(
        model=model, messages=[{"role": "user", "content": "Once upon a time"}], max_completion_tokens=20, temperature=0)
    answer = chat.chat.completions.create(**messages)
    chunks = list(chat.chat.completions.create(stream=True, stream_options={"include_usage": True}, **messages))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert answer.choices[0].message.content == text, (answer, text)
    assert chunks[-1].usage == answer.usage and not chunks[-1].choices
    assert [c.choices[0].finish_reason for c in chunks[:-1]] == [None] * (len(chunks) - 2) + ["length"]
    sentence = {**messages, "stop": [","]}
    with chat.chat.completions.stream(**sentence) as stream:  # which puts the answer together again
        assert stream.get_final_completion().choices[0].message.content == text.split(",")[0]
    with chat.completions.with_streaming_response.create(stream=True, **{**prompt, "max_tokens": 400}) as response:
        next(response.iter_lines())  # and away
    embed = openai.OpenAI(base_url=embed_url + "/v1", api_key=KEY, max_retries=0)
    texts = ["A man plays a guitar.", "Someone makes music."]
    base64 = embed.embeddings.create(model=embed.models.list().data[0].id, input=texts)
    floats = embed.embeddings.create(model=embed.models.list().data[0].id, input=texts, encoding_format="float")
    for one, other in zip(base64.data, floats.data, strict=True):
        assert all(abs(a - b) < 1e-6 for a, b in zip(one.embedding, other.embedding, strict=True))
    assert base64.usage.total_tokens == floats.usage.total_tokens > 0
    for error, call in [
        (openai.NotFoundError, lambda: chat.completions.create(model="gpt-9", prompt="a")),
        (openai.BadRequestError, lambda: chat.chat.completions.create(n=2, **messages)),
        (openai.BadRequestError, lambda: embed.chat.completions.create(**{**messages, "model": embed.models.list().data[0].id})),
        (openai.AuthenticationError, lambda: openai.OpenAI(base_url=chat_url + "/v1", api_key="no").models.list()),
    ]:
        try:
            call()
            raise AssertionError(f"{error} did not come")
        except error as e:
            print(f"  {error.__name__}: {e.body['message']}")
    status, classes = ask(classify_url, "/classify", {"input": "Arrived late, works well."})
    assert status == 200, classes
    print(f"OpenAI {openai.__version__}: chat {text!r}, vectors of {len(base64.data[0].embedding)}; {classes}")


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "openai":
        openai_client(*arguments)
    elif command == "load":
        load(int(arguments[0]), int(arguments[1]), [tuple(each.split("=")) for each in arguments[2:]])
    else:  # same: the answer is that of an earlier time
        status, answer = ask(arguments[0], "/classify", {"input": ["a good phone", "never again"]})
        assert status == 200, answer
        if os.path.exists(arguments[1]):
            with open(arguments[1]) as file:
                assert file.read() == answer, answer
        else:
            with open(arguments[1], "w") as file:
                file.write(answer)


main()
