#!/usr/bin/env bash
# Deeplearning4j 1.0.0-M2.1: a `BertIterator` over sentence pairs is empty after `reset()`.
# Expected: all pairs again. `resetSupported()` is true, and with single sentences `reset()` works.
# Seen: `reset()` resets the provider of single sentences only. From the second epoch on `hasNext()` is false;
#   there is no exception.
# Why it matters: a paraphrase or entailment model that is to train for three epochs trains for one, and an
#   evaluation with the same iterator afterwards sees no data.
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
import org.deeplearning4j.iterator.BertIterator;
import org.deeplearning4j.iterator.provider.CollectionLabeledPairSentenceProvider;
import org.deeplearning4j.iterator.provider.CollectionLabeledSentenceProvider;
import org.deeplearning4j.text.tokenization.tokenizerfactory.BertWordPieceTokenizerFactory;

class Finding {
  static int[] epochs(BertIterator iterator) {
    int[] examples = new int[3];
    for (int epoch = 0; epoch < 3; epoch++) {
      while (iterator.hasNext()) examples[epoch] += (int) iterator.next().getFeatures(0).size(0);
      iterator.reset();
    }
    System.out.println("resetSupported: " + iterator.resetSupported() + ", examples in three epochs: "
        + java.util.Arrays.toString(examples));
    return examples;
  }

  public static void main(String[] args) throws Exception {
    byte[] vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nyes\nno\n".getBytes(StandardCharsets.UTF_8);
    BertWordPieceTokenizerFactory tokenizer = new BertWordPieceTokenizerFactory(
        new ByteArrayInputStream(vocabulary), true, true, StandardCharsets.UTF_8);
    List<String> first = List.of("yes", "no", "no"), second = List.of("no", "yes", "no");
    List<String> labels = List.of("a", "b", "a");
    System.out.println("Deeplearning4j 1.0.0-M2.1");
    int[][] seen = new int[2][];
    for (int pairs = 0; pairs < 2; pairs++) {
      BertIterator.Builder builder = BertIterator.builder().tokenizer(tokenizer).vocabMap(tokenizer.getVocab())
          .task(BertIterator.Task.SEQ_CLASSIFICATION).lengthHandling(BertIterator.LengthHandling.FIXED_LENGTH, 8)
          .featureArrays(BertIterator.FeatureArrays.INDICES_MASK_SEGMENTID).minibatchSize(2).prependToken("[CLS]");
      if (pairs == 0) builder.sentenceProvider(new CollectionLabeledSentenceProvider(first, labels));
      else builder.sentencePairProvider(new CollectionLabeledPairSentenceProvider(first, second, labels))
          .appendToken("[SEP]");
      System.out.println(pairs == 0 ? "single sentences:" : "pairs:");
      seen[pairs] = epochs(builder.build());
    }
    if (seen[0][1] != 3 || seen[0][2] != 3) throw new AssertionError("changed: single sentences");
    if (seen[1][0] != 3 || seen[1][1] != 0 || seen[1][2] != 0) throw new AssertionError("changed: pairs");
    System.out.println("Expected: 3, 3, 3");
    System.out.println("Seen:     3, 0, 0 with pairs");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
