#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: the operation `top_k` loses or repeats numbers that are equal.
# Expected: the three largest of 1, 5, 3, 5, 2 are 5, 5, 3, and no index is returned twice.
# Seen: they come out as 5, 3, 2, and the two largest of 5, 5, 3, 1 have the same index twice. Without ties the
#   operation is right.
# Why it matters: the rounded logits of a 16-bit or quantized model, and scores of duplicates in retrieval,
#   often tie: a candidate disappears or comes twice.
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
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/Finding.java" <<'JAVA'
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  static String topK(int k, float... numbers) {
    INDArray[] out = Nd4j.exec(DynamicCustomOp.builder("top_k").addInputs(Nd4j.createFromArray(numbers))
        .addIntegerArguments(k).addBooleanArguments(true).build());
    String found = Arrays.toString(out[0].toIntVector()) + " at " + Arrays.toString(out[1].toIntVector());
    System.out.println("the " + k + " largest of " + Arrays.toString(numbers) + ": " + found);
    return found;
  }

  public static void main(String[] args) {
    System.out.println("ND4J 1.0.0-M2.1");
    if (!topK(2, 1, 2, 3, 4).equals("[4, 3] at [3, 2]")) throw new AssertionError("changed: no ties");
    if (!topK(3, 1, 5, 3, 5, 2).startsWith("[5, 3, 2]")) throw new AssertionError("changed: a lost tie");
    if (!topK(2, 5, 5, 3, 1).equals("[5, 5] at [1, 1]")) throw new AssertionError("changed: an index twice");
    System.out.println("Expected: 5, 5, 3, and two different indices");
    System.out.println("Seen:     5, 3, 2, and one index twice");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
