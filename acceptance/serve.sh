#!/usr/bin/env bash
# Servers of `tokentune serve` and the clients of others: trains a classifier, then serves it, stories260k and all-MiniLM-L6-v2.
# 1. OpenAI's Python client and langchain4j's OpenAI client ask them, whole and streamed.
# 2. REQUESTS requests of CLIENTS clients, a tenth of them broken (no JSON, too large, cut short, nobody waits, ...): none may be lost or
#    wrong (the answer is that to the request alone), and in the second half neither resident memory nor the live heap may be 5% above the
#    most of the first.
# 3. A server that is killed in mid-request is started again at the same port and answers as before; one that is told to stop ends by
#    itself; a port in use is one sentence and exit code 1.
# Exits 1 if something is not so. Usage: acceptance/serve.sh [REQUESTS [CLIENTS]]; default 10000 and 32. PYTHON is a Python with the
# package openai, which is installed if it is not given. Needs the network: the models, and both clients.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
pids=()
end() {
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap end EXIT
if [ -z "${PYTHON:-}" ]; then
  python3 -m venv "$work/python"
  "$work/python/bin/pip" install -q openai==3.57.0 >&2
  PYTHON="$work/python/bin/python"
fi
"$home/tokentune" --version >/dev/null # builds if needed
export TOKENTUNE_API_KEY="a-key-of-acceptance"

# serve NAME ARGUMENTS...: starts a server; its address is in $work/NAME.url, its process in pid
serve() {
  local name="$1"
  shift
  rm -f "$work/$name.log" # of an earlier server, which was listening
  # The heap has one size: what is resident beside it shows whether memory outside grows.
  TOKENTUNE_JAVA_OPTIONS="-Xms512m -Xmx512m -XX:+AlwaysPreTouch -Dorg.bytedeco.javacpp.maxbytes=2g" \
    "$home/tokentune" serve "$@" >"$work/$name.log" 2>&1 &
  pid=$!
  pids+=("$pid")
  for _ in $(seq 600); do
    if grep -qs '^Listening at ' "$work/$name.log"; then
      sed -n 's/^Listening at \(http[^,]*\).*/\1/p' "$work/$name.log" >"$work/$name.url"
      return
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  echo "$name did not start:"
  cat "$work/$name.log"
  exit 1
}
url() { cat "$work/$1.url"; }

"$home/tokentune" train --data "$home/samples/reviews.csv" --text review --label stars --steps 20 --batch-size 8 --output "$work/stars" >/dev/null 2>"$work/train.log" ||
  { cat "$work/train.log"; exit 1; }
serve generate --model stories260k --template plain --port 0
generate=$pid
serve embed --model all-minilm-l6-v2 --port 0
embed=$pid
serve classify --model "$work/stars" --port 0
classify=$pid
if grep -rq "$TOKENTUNE_API_KEY" "$work"/*.log; then echo "the key was printed"; exit 1; fi

echo "== clients"
"$PYTHON" "$home/acceptance/serve.py" openai "$(url generate)" "$(url embed)" "$(url classify)"
langchain4j="$(sed -n 's|.*<langchain4j.version>\(.*\)</langchain4j.version>.*|\1|p' "$home/pom.xml")"
cat >"$work/pom.xml" <<XML
<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
<dependency><groupId>dev.langchain4j</groupId><artifactId>langchain4j-open-ai</artifactId><version>$langchain4j</version></dependency>
</dependencies></project>
XML
mvn -B -q -f "$work/pom.xml" dependency:build-classpath -Dmdep.outputFile="$work/classpath" >&2
java -cp "$(cat "$work/classpath")" "$home/acceptance/ServeClient.java" "$(url generate)" "$(url embed)" "$TOKENTUNE_API_KEY" 2>&1 | grep -v SLF4J

echo "== load"
"$PYTHON" "$home/acceptance/serve.py" load "${1:-10000}" "${2:-32}" "generate=$(url generate)=$generate" "embed=$(url embed)=$embed" "classify=$(url classify)=$classify"

echo "== killed and stopped"
"$PYTHON" "$home/acceptance/serve.py" same "$(url classify)" "$work/before"
port="$(url classify | sed 's/.*://')"
asking=()
for _ in $(seq 8); do
  "$PYTHON" "$home/acceptance/serve.py" load 200 4 "classify=$(url classify)=$classify" >/dev/null 2>&1 &
  asking+=("$!")
done
sleep 2
kill -9 "$classify"
wait "$classify" 2>/dev/null || true
serve classify --model "$work/stars" --port "$port"
classify=$pid
wait "${asking[@]}" || true # they report what was lost with it
"$PYTHON" "$home/acceptance/serve.py" same "$(url classify)" "$work/before"
echo "killed in mid-request, it is back at port $port with the same answers"
status=0
said="$("$home/tokentune" serve --model "$work/stars" --port "$port" 2>&1)" || status=$?
[ "$status" = 1 ] && [ "$(wc -l <<<"$said")" = 1 ] || { echo "a port in use: exit code $status, $said"; exit 1; }
echo "a port in use: exit code 1: $said"
kill -TERM "$classify"
for _ in $(seq 100); do kill -0 "$classify" 2>/dev/null || break; sleep 0.1; done
if kill -0 "$classify" 2>/dev/null; then echo "it did not stop"; exit 1; fi
echo "told to stop, it stopped"
