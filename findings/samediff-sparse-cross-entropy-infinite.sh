#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: `sparseSoftmaxCrossEntropy` is not `softmaxCrossEntropy` with ids in place of one-hot
# rows, as documented.
# Expected: the same number from both.
# Seen: the sparse one is Infinity where the logit of the target lies 104 or more below the largest, and it
#   returns one number per row where the other returns their mean.
# Why it matters: with a vocabulary of 32,000 one-hot rows are no option: one confident mistake makes the loss
#   of the epoch infinite, and the mean has to be added by hand.
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
import org.nd4j.autodiff.samediff.*;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  public static void main(String[] args) {
    System.out.println("SameDiff 1.0.0-M2.1: logits (x, 0), the target is the second");
    INDArray oneHot = Nd4j.createFromArray(new float[][] {{0, 1}, {0, 1}});
    for (float x : new float[] {50, 110}) {
      SameDiff sd = SameDiff.create();
      SDVariable logits = sd.constant(Nd4j.createFromArray(new float[][] {{x, 0}, {x, 0}}));
      INDArray full = sd.loss.softmaxCrossEntropy(null, sd.constant(oneHot), logits, null).eval();
      INDArray sparse = sd.loss.sparseSoftmaxCrossEntropy(logits, sd.constant(Nd4j.createFromArray(1, 1))).eval();
      System.out.println("x = " + x + ": softmaxCrossEntropy " + full + ", sparse " + sparse);
      if (full.length() != 1 || full.getDouble(0) != x) throw new AssertionError("changed: softmaxCrossEntropy");
      if (sparse.length() != 2) throw new AssertionError("changed: the sparse one has a mean");
      if (Double.isInfinite(sparse.getDouble(0)) != (x > 104)) throw new AssertionError("changed: at " + x);
    }
    System.out.println("Expected: 50 and 110 from both");
    System.out.println("Seen:     two numbers instead of one, and Infinity instead of 110");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
