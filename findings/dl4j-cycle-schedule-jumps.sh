#!/usr/bin/env bash
# Deeplearning4j (nd4j-api) 1.0.0-M2.1: CycleSchedule jumps to ten times its lowest rate when a cycle has come down.
# Expected: up from a tenth of the highest rate, down again, and then below it for the last tenth of the cycle ("annealing").
# Seen: if the steps without annealing are an odd number, as in a cycle of 101 at the defaults, the step after the descent has the lowest
#   rate divided by the decay (0.1), which is the highest rate of all; so once in every cycle. With 100 steps it has not. The annealing
#   itself is a tenth of the rate before in every step: 1e-12 after ten steps, where nothing is learnt any more.
# Why it matters: a single step at the full rate, right before the weights are kept, and only for some lengths.
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
  <dependency><groupId>org.deeplearning4j</groupId><artifactId>deeplearning4j-nn</artifactId>
    <version>1.0.0-M2.1</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/Finding.java" <<'JAVA'
import org.nd4j.linalg.schedule.CycleSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class Finding {
  /** The rate at the step with which annealing should begin, by the one before. */
  static double jump(int length) {
    CycleSchedule schedule = new CycleSchedule(ScheduleType.ITERATION, 1e-2, length);
    int first = length - length / 10 - 1;
    System.out.printf("a cycle of %d steps, highest rate 0.01:", length);
    for (int i = first - 2; i < first + 4; i++) {
      System.out.printf(" %d: %.2g", i, schedule.valueAt(i, 0));
    }
    System.out.printf(", ... %d: %.2g%n", length - 1, schedule.valueAt(length - 1, 0));
    return schedule.valueAt(first, 0) / schedule.valueAt(first - 1, 0);
  }

  public static void main(String[] args) {
    System.out.println("ND4J 1.0.0-M2.1");
    double even = jump(100), odd = jump(101);
    if (even > 1 || odd < 8) throw new AssertionError("changed: " + even + ", " + odd);
    System.out.println("Expected: the rate falls in the second half of a cycle");
    System.out.printf("Seen:     with 101 steps it is %.2f times that of the step before, once%n", odd);
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
