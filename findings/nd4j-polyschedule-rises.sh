#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `PolySchedule` lets the learning rate rise, from its first value to nearly twice that (with power
# 1), and then drop to 0 at once. The formula has 1 + i / n where polynomial decay has 1 - i / n. Expected is a fall
# to 0, as its name means in Caffe, TensorFlow and Hugging Face's `polynomial` scheduler. It matters because linear
# decay is what BERT is fine-tuned with: a run that is copied with power 1 trains its last steps with the largest
# rate.
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
    System.out.println("As described: 0.19 just before 0.");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
