#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: the first step of `Nadam` is 60 times the learning rate.
# Expected: about one learning rate, as Adam's first step and as in Dozat's Nadam, which corrects both moments
#   for their start at 0.
# Seen: only the first moment is corrected: step 1 is 60 rates long, step 2 is 32, step 100 still 3.
# Why it matters: a fine-tuning rate of 2e-5, chosen so as not to destroy what was learnt, starts out as 1.2e-3:
#   a run that only swaps Adam for Nadam forgets its pretraining.
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
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.*;

class Finding {
  static double[] steps(IUpdater config) {
    GradientUpdater<?> updater = config.instantiate(Nd4j.zeros(DataType.FLOAT, 1, config.stateSize(1)), true);
    double[] rates = new double[100];
    for (int i = 0; i < 100; i++) {
      INDArray gradient = Nd4j.ones(DataType.FLOAT, 1, 1); // the updater overwrites it with the step
      updater.applyUpdater(gradient, i, 0);
      rates[i] = gradient.getDouble(0) / 0.001;
    }
    String name = config.getClass().getSimpleName();
    System.out.printf("%s: step 1 %.2f, 2 %.2f, 10 %.2f, 100 %.2f%n", name, rates[0], rates[1], rates[9], rates[99]);
    return rates;
  }

  public static void main(String[] args) {
    System.out.println("ND4J 1.0.0-M2.1: steps in units of the rate 0.001, all gradients 1");
    if (Math.abs(steps(new Adam(0.001))[0] - 1) > 0.01) throw new AssertionError("changed: Adam");
    if (steps(new Nadam(0.001))[0] < 50) throw new AssertionError("changed: Nadam");
    System.out.println("Expected: a first step of about 1 learning rate");
    System.out.println("Seen:     a first step of 60 learning rates");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
