#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: the gradient of [1, n] divided by [1, 1] is wrong in the divisor, and right for two rows.
# Expected: for x / s with loss = sum(w * x / s), ds = -sum(w * x) / s^2, whatever the number of rows.
# Seen: -166.5 instead of -80.25: with one row the divisor counts as a scalar, and the sums of x and of the incoming gradient are
#   multiplied instead of their products summed (111 * 6 / 4). With two rows the same numbers give -80.25. rdiv is wrong alike.
# Why it matters: dividing rows by their norm or by a sum of weights is everywhere (cosines, pooling, normalisation), and a batch of one
#   row trains on another gradient than a batch of two, without an error.
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
import java.util.Map;
import org.nd4j.autodiff.samediff.*;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  static Map<String, INDArray> gradients(SameDiff sd, String... of) { // SameDiff prints a line for every op meanwhile
    PrintStream out = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    try { return sd.calculateGradients(null, of); } finally { System.setOut(out); }
  }

  static Map<String, INDArray> slopes(float[][] rows, float[][] divisors, float[][] weights) {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.var("x", Nd4j.createFromArray(rows));
    SDVariable s = sd.var("s", Nd4j.createFromArray(divisors));
    SDVariable w = sd.constant(Nd4j.createFromArray(weights));
    x.div(s).mul(w).sum().markAsLoss();
    Map<String, INDArray> g = gradients(sd, "x", "s");
    System.out.println(rows.length + " rows: dx " + g.get("x") + ", ds " + g.get("s"));
    return g;
  }

  public static void main(String[] args) {
    System.out.println("SameDiff 1.0.0-M2.1: loss = sum(w * x / s), x = 1, 2, 3; s = 2; w = 1, 10, 100");
    System.out.println("expected: dx 0.5, 5, 50; ds = -(1 + 20 + 300) / 4 = -80.25");
    Map<String, INDArray> one = slopes(new float[][] {{1, 2, 3}}, new float[][] {{2}}, new float[][] {{1, 10, 100}});
    Map<String, INDArray> two =
        slopes(new float[][] {{1, 2, 3}, {0, 0, 0}}, new float[][] {{2}, {1}}, new float[][] {{1, 10, 100}, {0, 0, 0}});
    if (Math.abs(two.get("s").getDouble(0) + 80.25) > 1e-3) throw new AssertionError("changed: two rows");
    if (Math.abs(one.get("s").getDouble(0) + 80.25) < 1e-3 && Math.abs(one.get("x").getDouble(1) - 5) < 1e-3) {
      throw new AssertionError("changed: one row is right");
    }
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
