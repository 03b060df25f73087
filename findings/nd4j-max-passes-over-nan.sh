#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `max` and `argMax` skip NaN.
# Expected: NaN, as NumPy, PyTorch and Java's own `Math.max` return; ND4J's `sum` and `mean` do.
# Seen: a row of nothing but NaN has the maximum -Infinity at index 0; NaN, -5, -1 has the maximum -1.
# Why it matters: a model whose weights have become NaN still "predicts" a valid token or class 0, its highest
#   logit looks finite, and a check of the maximum for NaN never fires.
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
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  public static void main(String[] args) {
    float nan = Float.NaN;
    INDArray x = Nd4j.createFromArray(new float[][] {{nan, -5, -1}, {nan, nan, nan}});
    INDArray best = x.argMax(1), max = x.max(1);
    System.out.println("ND4J 1.0.0-M2.1: x = " + x);
    System.out.println("argMax(1): " + best + "\nmax(1):    " + max + "\nsum(1):    " + x.sum(1));
    System.out.println("Math.max(NaN, -1): " + Math.max(nan, -1));
    if (max.getDouble(0) != -1) throw new AssertionError("changed: the maximum beside NaN");
    if (max.getDouble(1) != Double.NEGATIVE_INFINITY) throw new AssertionError("changed: the maximum of NaN");
    if (best.getInt(1) != 0) throw new AssertionError("changed: the index of NaN");
    System.out.println("Expected: NaN for both rows");
    System.out.println("Seen:     -1 and -Infinity");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
