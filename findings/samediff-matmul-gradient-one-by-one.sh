#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: the gradient of a matrix product with a 1 by 1 result and one transposed factor is wrong.
# Expected: for x y^T, the gradient of x is y.
# Seen: each factor gets the sum of the other in every place. With one more row the same call is right.
# Why it matters: the score of one query against one document, or the last batch of a data set, which may have a
#   single row: that step trains on nonsense.
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

  static INDArray slope(float[][] factor) {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.var("x", Nd4j.createFromArray(new float[][] {{1, 2, 3}}));
    SDVariable product = sd.linalg.mmul(x, sd.constant(Nd4j.createFromArray(factor)), false, true, false);
    product.sum().markAsLoss();
    INDArray g = gradient(sd, "x");
    System.out.println("product " + product.eval() + ", gradient of x " + g);
    return g;
  }

  public static void main(String[] args) {
    System.out.println("SameDiff 1.0.0-M2.1: x = 1, 2, 3 times the transpose of y; loss = sum");
    INDArray one = slope(new float[][] {{4, 5, 6}});
    INDArray two = slope(new float[][] {{4, 5, 6}, {0, 0, 0}});
    System.out.println("expected both times: 4, 5, 6");
    if (two.getDouble(0) != 4 || two.getDouble(2) != 6) throw new AssertionError("changed: m = 2");
    if (one.getDouble(0) != 15 || one.getDouble(2) != 15) throw new AssertionError("changed: m = 1");
    System.out.println("Expected: 4, 5, 6 both times");
    System.out.println("Seen:     15, 15, 15 when the result is 1 by 1");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
