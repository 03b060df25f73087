#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: `layerNorm` has no epsilon, neither as an argument nor built in.
# Expected: a term such as the 1e-5 that PyTorch adds to the variance by default (BERT's files say 1e-12), or an
#   argument for it.
# Seen: inputs of 1e-10 are blown up to 1 and their gradient to 1e10; at 0.002, the value is still nearly twice
#   PyTorch's.
# Why it matters: weights trained with an epsilon give other results here wherever the variance is small, and
#   the gradients of rows near zero explode.
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
    System.out.println("SameDiff 1.0.0-M2.1: layerNorm of (s, -s, s, -s)");
    for (double s : new double[] {1, 0.02, 0.002, 1e-10}) {
      SameDiff sd = SameDiff.create();
      SDVariable x = sd.var("x", Nd4j.createFromArray(new double[][] {{s, -s, s, -s}}));
      SDVariable one = sd.constant(Nd4j.createFromArray(1.0, 1.0, 1.0, 1.0));
      SDVariable y = sd.nn.layerNorm(x, one, one.mul(0), false, 1);
      y.mul(sd.constant(Nd4j.createFromArray(1.0, 2.0, 3.0, 4.0))).sum().markAsLoss();
      double value = y.eval().getDouble(0), with = s / Math.sqrt(s * s + 1e-5);
      double slope = gradient(sd, "x").amaxNumber().doubleValue();
      System.out.printf("s = %-6s: %.4f, with epsilon 1e-5 %.4f, largest gradient %.3g%n", s, value, with, slope);
      if (Math.abs(value - 1) > 1e-6) throw new AssertionError("changed: there is an epsilon");
    }
    System.out.println("Expected: values near 0 for small s");
    System.out.println("Seen:     1 whatever s is");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
