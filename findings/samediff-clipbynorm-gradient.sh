#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: the gradient of `clipByNorm` along a dimension is wrong wherever it clips.
# Expected: the derivative of x / |x|. It is at right angles to x, since a clipped row does not change when x is
#   scaled.
# Seen: the value is right, but the gradient for (3, 4) differs from finite differences and is not at right
#   angles to (3, 4).
# Why it matters: this is the obvious way to bring embeddings to length 1, or to a maximal norm, inside a model
#   that is trained.
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
    SDVariable x = sd.var("x", Nd4j.createFromArray(new double[][] {{3, 4}}));
    SDVariable clipped = sd.math.clipByNorm(x, 1.0, 1);
    clipped.mul(sd.constant(Nd4j.createFromArray(new double[][] {{1, 0}}))).sum().markAsLoss();
    INDArray g = gradient(sd, "x");
    double a = g.getDouble(0), b = g.getDouble(1), h = 1e-6;
    double numeric = ((3 + h) / Math.hypot(3 + h, 4) - (3 - h) / Math.hypot(3 - h, 4)) / (2 * h);
    System.out.println("SameDiff 1.0.0-M2.1: (3, 4) clipped to length 1 is " + clipped.eval());
    System.out.println("gradient of its first number: " + a + ", " + b);
    System.out.println("by finite differences:        " + numeric + ", " + -0.75 * numeric);
    System.out.println("(3, 4) times the gradient, expected 0: " + (3 * a + 4 * b));
    if (Math.abs(clipped.eval().getDouble(0) - 0.6) > 1e-9) throw new AssertionError("changed: the value");
    if (Math.abs(3 * a + 4 * b) < 1e-3) throw new AssertionError("changed: the gradient is at right angles");
    System.out.println("Expected: the finite differences above, and 0");
    System.out.println("Seen:     another gradient, and not 0");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
