#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: `sd.nn.dropout` also drops in `sd.output`, and does not scale what it keeps.
# Expected: x itself. SameDiff distinguishes training from inference, and `sd.output` is inference. At the
#   least, x on average.
# Seen: two calls with the same input differ, and the mean falls to the share that is kept.
# Why it matters: a graph that was built for training and is then served gives random predictions that are too
#   small.
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
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

class Finding {
  public static void main(String[] args) {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder("x", DataType.FLOAT, 1, 10_000);
    sd.nn.dropout("y", x, 0.9);
    Map<String, INDArray> ones = Map.of("x", Nd4j.ones(1, 10_000));
    INDArray first = sd.output(ones, "y").get("y").dup(), second = sd.output(ones, "y").get("y").dup();
    double mean = first.meanNumber().doubleValue();
    System.out.println("SameDiff 1.0.0-M2.1: output of dropout(ones, keep 0.9)");
    System.out.println("mean " + mean + ", maximum " + first.maxNumber() + ", same again: " + first.equals(second));
    if (Math.abs(mean - 0.9) > 0.03 || first.maxNumber().doubleValue() != 1) throw new AssertionError("changed: mean");
    if (first.equals(second)) throw new AssertionError("changed: the same twice");
    System.out.println("Expected: ones, twice");
    System.out.println("Seen:     a tenth of them 0, others in each call, the rest not scaled");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
