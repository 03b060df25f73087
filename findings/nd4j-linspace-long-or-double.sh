#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `Nd4j.linspace(FLOAT, 0, 2, 5)` and `Nd4j.linspace(FLOAT, 0.0, 2.0, 5)` mean different things.
# Expected: 2 and 2.0 mean the same: five numbers from 0 to 2, as `Nd4j.linspace(0, 2, 5, FLOAT)` and NumPy's
#   `linspace` return.
# Seen: with longs the last two arguments are the count and the step (two numbers: 0, 5), with doubles the step
#   and the count (0, 2, 4, 6, 8). Neither ends at 2.
# Why it matters: a decimal point changes the length and the values of position ids, rotary angles or a table of
#   learning rates.
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

class Finding {
  public static void main(String[] args) {
    INDArray whole = Nd4j.linspace(DataType.FLOAT, 0, 2, 5);
    INDArray broken = Nd4j.linspace(DataType.FLOAT, 0.0, 2.0, 5);
    INDArray last = Nd4j.linspace(0, 2, 5, DataType.FLOAT);
    System.out.println("ND4J 1.0.0-M2.1");
    System.out.println("linspace(FLOAT, 0, 2, 5):     " + whole);
    System.out.println("linspace(FLOAT, 0.0, 2.0, 5): " + broken);
    System.out.println("linspace(0, 2, 5, FLOAT):     " + last);
    if (whole.length() != 2 || whole.getDouble(1) != 5) throw new AssertionError("changed: longs");
    if (broken.length() != 5 || broken.getDouble(4) != 8) throw new AssertionError("changed: doubles");
    if (last.length() != 5 || last.getDouble(4) != 2) throw new AssertionError("changed: the type last");
    System.out.println("Expected: 0, 0.5, 1, 1.5, 2 each time");
    System.out.println("Seen:     three different arrays");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
