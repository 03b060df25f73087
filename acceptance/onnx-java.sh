#!/usr/bin/env bash
# ONNX folders of ./tokentune export in Java (acceptance/OnnxJava.java): langchain4j's OnnxEmbeddingModel and DJL's engine for
# onnxruntime load a sentence encoder, and their vectors are compared with those of ./tokentune embed; prints a line, and exits 1
# if one differs by more than 1e-5. The texts have fewer than the 128 tokens at which this model's tokenizer.json cuts. Usage: acceptance/onnx-java.sh. Needs Maven and a network connection.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
langchain4j=1.19.0-beta29 djl=0.36.0 # whose onnxruntime is 1.20.0

dependency() {
  echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"
}
{
  echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>onnx</groupId>'
  echo '<artifactId>onnx-java</artifactId><version>1</version><dependencies>'
  dependency dev.langchain4j langchain4j-embeddings "$langchain4j"
  dependency ai.djl.onnxruntime onnxruntime-engine "$djl"
  dependency ai.djl.huggingface tokenizers "$djl"
  echo '</dependencies></project>'
} >"$work/pom.xml"
mvn -q -B -f "$work/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath -Dmdep.outputFile="$work/classpath" >&2

"$home/tokentune" export --model all-minilm-l6-v2 --to safetensors --output "$work/minilm" >/dev/null
"$home/tokentune" export --model "$work/minilm" --to onnx --output "$work/minilm-onnx"
"$home/tokentune" embed --model "$work/minilm" --json "$work/embedded.json" "A man is playing a guitar." "Cafés in ZÜRICH don't open before 10:30!" \
  "the end" "$(printf 'word %.0s' {1..100})" >/dev/null
java -Dai.djl.offline=true -cp "$(cat "$work/classpath")" "$home/acceptance/OnnxJava.java" "$work/minilm-onnx" "$work/embedded.json" 2>"$work/log" ||
  { cat "$work/log"; exit 1; }
