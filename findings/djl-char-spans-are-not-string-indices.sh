#!/usr/bin/env bash
# DJL 0.36.0: the `CharSpan`s of an encoding do not index the Java string after an emoji.
# Expected: `text.substring(span.getStart(), span.getEnd())` is the text of the token. DJL is a Java library,
#   and the class calls itself a span of characters.
# Seen: the spans count code points, as Python does. After each character outside the basic plane (emoji, rare
#   Chinese characters, mathematical letters) they are one char short.
# Why it matters: named entities and extracted answers are cut out of the text by these spans. On chats and
#   reviews they are shifted by a letter or more, without an exception; in tests with plain English they are
#   right. `offsetByCodePoints` converts them.
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
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.nio.file.Path;
import java.util.Map;

class Finding {
  public static void main(String[] args) throws Exception {
    System.out.println("DJL 0.36.0");
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(Path.of(args[0]), Map.of())) {
      for (String text : new String[] {"good morning", "\uD83D\uDE00 good morning"}) {
        CharSpan[] spans = tokenizer.encode(text).getCharTokenSpans();
        CharSpan span = spans[spans.length - 1];
        String cut = text.substring(span.getStart(), span.getEnd());
        String converted = text.substring(text.offsetByCodePoints(0, span.getStart()),
            text.offsetByCodePoints(0, span.getEnd()));
        System.out.println("last token of " + text.replace("\uD83D\uDE00", "(emoji)") + ": '" + cut
            + "', by code points: '" + converted + "'");
        boolean emoji = text.length() > 12;
        if (!cut.equals(emoji ? " mornin" : "morning")) throw new AssertionError("changed: " + cut);
        if (!converted.equals("morning")) throw new AssertionError("changed: " + converted);
      }
    }
    System.out.println("Expected: 'morning' both times");
    System.out.println("Seen:     ' mornin' after an emoji");
  }
}
JAVA
java -Dai.djl.offline=true -cp "$(cat "$dir/classpath")" "$dir/Finding.java" "$dir/tokenizer.json"
