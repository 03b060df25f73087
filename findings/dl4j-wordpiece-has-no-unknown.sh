#!/usr/bin/env bash
# Deeplearning4j 1.0.0-M2.1: the tokenizer of `BertWordPieceTokenizerFactory` never emits [UNK].
# Expected: [UNK] for every word that the vocabulary cannot spell, as in BERT's own tokenizer. The vocabulary
#   used here has [UNK].
# Seen: a character that occurs in no entry of the vocabulary is deleted from the text first. The word around it
#   closes up, and a word made of such characters disappears.
# Why it matters: for a pretrained BERT, emoji, symbols and foreign scripts leave no trace, positions shift, and
#   a text may come out empty.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/pom.xml" <<'XML'
<project>
<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
  <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId>
    <version>1.0.0-M2.1</version></dependency>
  <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId>
    <version>1.0.0-M2.1</version><classifier>linux-x86_64</classifier></dependency>
  <dependency><groupId>org.bytedeco</groupId><artifactId>openblas</artifactId>
    <version>0.3.19-1.5.7</version><classifier>linux-x86_64</classifier></dependency>
  <dependency><groupId>org.bytedeco</groupId><artifactId>javacpp</artifactId>
    <version>1.5.7</version><classifier>linux-x86_64</classifier></dependency>
  <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  <dependency><groupId>org.deeplearning4j</groupId><artifactId>deeplearning4j-nlp</artifactId>
    <version>1.0.0-M2.1</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/Finding.java" <<'JAVA'
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.deeplearning4j.text.tokenization.tokenizerfactory.BertWordPieceTokenizerFactory;

class Finding {
  public static void main(String[] args) throws Exception {
    String vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nprice\nfive\nun\n##able\n";
    BertWordPieceTokenizerFactory factory = new BertWordPieceTokenizerFactory(
        new ByteArrayInputStream(vocabulary.getBytes(StandardCharsets.UTF_8)), true, true, StandardCharsets.UTF_8);
    String[] texts = {"unable", "un\u20acable", "price \u20ac five", "\u20ac"};
    List<List<String>> expected = List.of(List.of("un", "##able"), List.of("un", "##able"),
        List.of("price", "five"), List.of());
    System.out.println("DL4J 1.0.0-M2.1: " + vocabulary.replace('\n', ' '));
    for (int i = 0; i < texts.length; i++) {
      List<String> tokens = factory.create(texts[i]).getTokens();
      System.out.println("\"" + texts[i].replace("\u20ac", "(euro sign)") + "\": " + tokens);
      if (!tokens.equals(expected.get(i))) throw new AssertionError("changed: text " + i);
    }
    System.out.println("Expected: one [UNK] in each of the last three texts");
    System.out.println("Seen:     no [UNK] anywhere; the last text is empty");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
