#!/usr/bin/env bash
# DJL 0.36.0: `HuggingFaceTokenizer` cuts every text to 512 tokens, even if the file and the caller say
# otherwise.
# Expected: what tokenizer.json says. Here it says no truncation, and Python's `tokenizers` returns all tokens
#   for the same file.
# Seen: the default is 512 tokens, and the option `maxLength` 700 still gives 512: it is capped by an assumed
#   `modelMaxLength` of 512. Only a log line at level WARN tells. The option `modelMaxLength`, or "truncation"
#   "false", lifts it.
# Why it matters: models with 2,000 or 128,000 positions (Llama, ModernBERT, bge-m3) silently see the first 512
#   tokens of a document on the JVM, in training data as well as in search.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/pom.xml" <<'XML'
<project>
<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
  <dependency><groupId>ai.djl.huggingface</groupId><artifactId>tokenizers</artifactId>
    <version>0.36.0</version></dependency>
  <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>2.0.17</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/tokenizer.json" <<'JSON'
{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
 "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
 "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "good": 1, "morning": 2}, "unk_token": "[UNK]"}}
JSON
cat > "$dir/Finding.java" <<'JAVA'
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.nio.file.Path;
import java.util.Map;

class Finding {
  static int tokens(String path, Map<String, String> options) throws Exception {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(Path.of(path), options)) {
      int tokens = tokenizer.encode("good ".repeat(600)).getIds().length;
      System.out.println("options " + options + ": " + tokens + " tokens of 600");
      return tokens;
    }
  }

  public static void main(String[] args) throws Exception {
    System.out.println("DJL 0.36.0, tokenizer.json with \"truncation\": null");
    if (tokens(args[0], Map.of()) != 512) throw new AssertionError("changed: the default");
    if (tokens(args[0], Map.of("maxLength", "700")) != 512) throw new AssertionError("changed: maxLength");
    if (tokens(args[0], Map.of("truncation", "false")) != 600) throw new AssertionError("changed: no truncation");
    System.out.println("Expected: 600 each time");
    System.out.println("Seen:     512 by default and with maxLength 700");
  }
}
JAVA
java -Dai.djl.offline=true -cp "$(cat "$dir/classpath")" "$dir/Finding.java" "$dir/tokenizer.json"
