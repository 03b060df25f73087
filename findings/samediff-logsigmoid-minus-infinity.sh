#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: `logSigmoid(-100)` is -Infinity and `softplus(100)` is Infinity.
# Expected: -100 and 100. These functions exist to avoid exactly this overflow.
# Seen: both are computed as the logarithm of 1 + exp(x), which overflows a FLOAT beyond 89.
# Why it matters: the loss of DPO is -logSigmoid of a difference of log probabilities, which reaches hundreds
#   for long texts: one clear pair makes the loss infinite.
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
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  public static void main(String[] args) {
    System.out.println("SameDiff 1.0.0-M2.1");
    for (float x : new float[] {50, 100, 300}) {
      SameDiff sd = SameDiff.create();
      double plus = sd.nn.softplus(sd.constant(Nd4j.createFromArray(x))).eval().getDouble(0);
      double log = sd.nn.logSigmoid(sd.constant(Nd4j.createFromArray(-x))).eval().getDouble(0);
      System.out.println("softplus(" + x + ") = " + plus + ", logSigmoid(" + -x + ") = " + log);
      if (x == 50 ? plus != 50 || log != -50 : !Double.isInfinite(plus) || !Double.isInfinite(log))
        throw new AssertionError("changed: at " + x);
    }
    System.out.println("Expected: 100 and -100");
    System.out.println("Seen:     Infinity and -Infinity");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
