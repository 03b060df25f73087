#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `PolySchedule` makes the learning rate rise.
# Expected: a decay to 0, rate * (1 - i/n)^power, as polynomial decay is defined in Caffe, TensorFlow and
#   Hugging Face's `polynomial` scheduler.
# Seen: rate * (1 + i/n)^power: with power 1 the rate climbs to nearly twice its first value, then drops to 0 at
#   once.
# Why it matters: linear decay is the usual schedule for fine-tuning BERT, and polynomial decay with power 1 is
#   linear decay: a recipe copied like this takes its last steps with the largest rate.
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
import org.nd4j.linalg.schedule.PolySchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class Finding {
  public static void main(String[] args) {
    PolySchedule schedule = new PolySchedule(ScheduleType.ITERATION, 0.1, 1, 10);
    System.out.println("ND4J 1.0.0-M2.1: PolySchedule(ITERATION, 0.1, power 1, 10 iterations)");
    for (int i = 0; i <= 10; i++) {
      double rate = schedule.valueAt(i, 0);
      System.out.printf("iteration %2d: %.3f, linear decay would be %.3f%n", i, rate, 0.1 * (1 - i / 10.0));
      if (Math.abs(rate - (i < 10 ? 0.1 * (1 + i / 10.0) : 0)) > 1e-9) throw new AssertionError("changed: " + i);
    }
    System.out.println("Expected: 0.1 falling to 0.01 at iteration 9");
    System.out.println("Seen:     0.1 rising to 0.19 at iteration 9");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
