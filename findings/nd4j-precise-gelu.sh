#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `preciseGelu` is less precise than the approximation it is meant to improve on.
# Expected: an error below 0.001; the usual tanh formula with 0.044715 x^3 has that.
# Seen: the operation computes (0.044715 x)^3, so that the cubic term all but disappears: -0.0247 at -3 instead
#   of -0.0040, and 0.01 off at 1.
# Why it matters: a BERT or GPT-2 that uses the function with the promising name is a little wrong in every
#   layer, and the results drift without an error.
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
    double[] at = {-3, -1, 1}, exact = {-0.00404951, -0.15865525, 0.84134475};
    INDArray y = Nd4j.nn.preciseGelu(Nd4j.createFromArray(at));
    System.out.println("ND4J 1.0.0-M2.1");
    for (int i = 0; i < 3; i++) {
      double x = at[i], c = Math.sqrt(2 / Math.PI);
      double usual = x / 2 * (1 + Math.tanh(c * (x + 0.044715 * x * x * x)));
      double cubed = x / 2 * (1 + Math.tanh(c * (x + Math.pow(0.044715 * x, 3))));
      System.out.printf("x %4.0f: preciseGelu %.6f, exact %.6f, tanh formula %.6f, with (0.044715 x)^3 %.6f%n",
          x, y.getDouble(i), exact[i], usual, cubed);
      if (Math.abs(usual - exact[i]) > 1e-3) throw new AssertionError("the formula");
      if (Math.abs(y.getDouble(i) - cubed) > 1e-5) throw new AssertionError("changed: preciseGelu");
    }
    System.out.println("Expected: -0.0040 at -3");
    System.out.println("Seen:     -0.0247 at -3: the coefficient is cubed too");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
