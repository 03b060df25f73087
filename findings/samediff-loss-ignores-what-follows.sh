#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: the operations of `sd.loss` ignore the gradient that arrives from what follows them.
# Expected: the chain rule: a loss multiplied by 10 has ten times the gradient.
# Seen: the gradient is that of the bare loss, even if the loss is multiplied by 0. The value itself is right,
#   so nothing looks wrong.
# Why it matters: weights between two losses (distillation, an auxiliary task), the division for gradient
#   accumulation and the scale for 16-bit training do nothing.
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

  static double slope(double factor) {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.var("x", Nd4j.createFromArray(new float[][] {{3}, {5}}));
    SDVariable zero = sd.constant(Nd4j.zeros(2, 1));
    SDVariable loss = sd.loss.meanSquaredError("mse", zero, x, null).mul(factor);
    loss.markAsLoss();
    double value = loss.eval().getDouble(0), slope = gradient(sd, "x").getDouble(0);
    System.out.println("times " + factor + ": " + value + ", gradient of x[0] " + slope + ", expected " + 3 * factor);
    return slope;
  }

  public static void main(String[] args) {
    System.out.println("SameDiff 1.0.0-M2.1: meanSquaredError(0, x) times a factor, x = 3, 5");
    if (slope(1) != 3 || slope(10) != 3 || slope(0) != 3) throw new AssertionError("changed: the factor counts");
    System.out.println("Expected: gradients 3, 30 and 0");
    System.out.println("Seen:     3 each time");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
