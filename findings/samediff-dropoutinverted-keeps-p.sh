#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: `sd.nn.dropoutInverted(x, p)` keeps with probability p, although its documentation says
# that it drops with that probability.
# Expected: with p = 0.1, one zero in ten ("p is the probability of dropping an input").
# Seen: nine numbers in ten become 0 and the rest grows tenfold. The mean stays right, so only the noise gives it
#   away.
# Why it matters: the usual dropout of a transformer, 0.1, taken from its configuration file, removes 90 percent
#   of every layer.
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

class Finding {
  public static void main(String[] args) {
    System.out.println("SameDiff 1.0.0-M2.1: 10,000 ones");
    for (double p : new double[] {0.1, 0.9}) {
      SameDiff sd = SameDiff.create();
      INDArray y = sd.nn.dropoutInverted(sd.constant(Nd4j.ones(10_000)), p).eval();
      int kept = 0;
      for (double v : y.toDoubleVector()) if (v != 0) kept++;
      System.out.println("p = " + p + ": kept " + kept + ", each now " + y.maxNumber() + ", mean " + y.meanNumber());
      if (Math.abs(kept - 10_000 * p) > 500) throw new AssertionError("changed: p is the share that is dropped");
    }
    System.out.println("Expected: p = 0.1 keeps about 9,000 of 10,000");
    System.out.println("Seen:     p = 0.1 keeps about 1,000");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
