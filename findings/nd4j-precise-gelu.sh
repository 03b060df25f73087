#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `preciseGelu` cubes 0.044715 x instead of x in the tanh formula, so that the cubic term all but
# disappears. At -3 it gives -0.0247; GELU is -0.0040, and the usual tanh approximation -0.0036. The documentation
# calls it the precise method. At 1 it is off by 0.01. Expected was an error below 0.001. It matters to everyone who
# loads BERT or GPT-2 and takes the function with the promising name: every layer is a little wrong, and the results
# drift without an error.
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
    System.out.println("As described: the wrong thing is cubed.");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
