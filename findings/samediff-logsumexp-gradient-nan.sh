#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: `logSumExp` is stable, its gradient is not.
# Expected: softmax(x), which is finite for all finite x.
# Seen: the value subtracts the maximum and is right at 1000, but the gradient uses plain exponentials and is
#   NaN from 89 on.
# Why it matters: in a hand-written cross entropy (logSumExp minus the logit of the target) the reported loss
#   looks healthy while one step turns all weights into NaN.
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
    System.out.println("SameDiff 1.0.0-M2.1");
    for (float at : new float[] {10, 1000}) {
      SameDiff sd = SameDiff.create();
      SDVariable x = sd.var("x", Nd4j.createFromArray(at, at - 1));
      SDVariable y = sd.math.logSumExp(x, 0);
      y.markAsLoss();
      double value = y.eval().getDouble(0);
      INDArray g = gradient(sd, "x");
      System.out.println("logSumExp(" + at + ", " + (at - 1) + ") = " + value + ", gradient " + g);
      if (Math.abs(value - at - 0.3133) > 1e-3) throw new AssertionError("changed: the value");
      if (at == 10 && Math.abs(g.getDouble(0) - 0.731) > 1e-3) throw new AssertionError("changed: gradient at 10");
      if (at == 1000 && !Double.isNaN(g.getDouble(0))) throw new AssertionError("changed: gradient at 1000");
    }
    System.out.println("Expected: gradient 0.731, 0.269 both times");
    System.out.println("Seen:     NaN at 1000");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
