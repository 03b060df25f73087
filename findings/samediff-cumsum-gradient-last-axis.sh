#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: the gradient of `cumsum` along the last axis of a matrix leaks from one row into the
# previous one.
# Expected: rows are independent; the forward result keeps them apart.
# Seen: the gradient is accumulated as if all rows were one long vector: the whole of row 1's gradient is added
#   to every number of row 0. Along axis 0, and for vectors, it is right.
# Why it matters: positions computed from a mask, or cumulated probabilities, in a model that is trained: the
#   gradient of one example contains that of the next.
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
import java.io.OutputStream;
import java.io.PrintStream;
import org.nd4j.autodiff.samediff.*;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  static INDArray gradient(SameDiff sd, String of) { // SameDiff prints a line for every op meanwhile
    PrintStream out = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    try { return sd.calculateGradients(null, of).get(of); } finally { System.setOut(out); }
  }

  public static void main(String[] args) {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.var("x", Nd4j.ones(2, 3));
    SDVariable weights = sd.constant(Nd4j.createFromArray(new float[][] {{1, 2, 3}, {4, 5, 6}}));
    SDVariable sums = sd.cumsum(x, false, false, 1);
    sums.mul(weights).sum().markAsLoss();
    INDArray g = gradient(sd, "x");
    System.out.println("SameDiff 1.0.0-M2.1: cumsum of ones [2, 3] along axis 1:\n" + sums.eval());
    System.out.println("gradient when row 0 is weighted by 1, 2, 3 and row 1 by 4, 5, 6:\n" + g);
    System.out.println("expected: 6, 5, 3 and 15, 11, 6");
    if (g.getDouble(1, 0) != 15) throw new AssertionError("changed: the last row");
    if (g.getDouble(0, 0) != 6 + 15) throw new AssertionError("changed: the first row");
    System.out.println("Expected: row 0: 6, 5, 3");
    System.out.println("Seen:     row 0: 21, 20, 18, that is 15 too much");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
