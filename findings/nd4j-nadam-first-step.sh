#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: the first step of `Nadam` is 60 times the learning rate, the second 32 times, the hundredth still
# 3: the second moment is not corrected for its start at 0 while the first one is. Expected is about one rate, as
# Adam's first step has, and as Dozat's description of Nadam has it. It matters for fine-tuning: a rate of 2e-5,
# chosen so as not to destroy what was learnt, begins as 1.2e-3, and a run that only exchanges Adam for Nadam
# forgets its pretraining.
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
    System.out.println("As described: Nadam begins 60 times too fast.");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
