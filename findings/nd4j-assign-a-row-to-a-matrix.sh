#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `matrix.assign(vector)` neither broadcasts nor complains.
# Expected: the row in all rows, as `addi` treats the same vector and as NumPy assigns it, or an exception.
# Seen: the vector fills the first places of the matrix and the rest keeps its old contents: of `zeros(3,
#   2).assign(row)` only the first row is set, and a [3, 1] column fills the first three numbers.
# Why it matters: where a bias, a padding embedding or a mask is set for a whole batch, only the first example
#   gets it.
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
    INDArray row = Nd4j.createFromArray(1f, 2f), x = Nd4j.zeros(3, 2).assign(row);
    INDArray column = Nd4j.createFromArray(new float[][] {{7}, {8}, {9}}), y = Nd4j.zeros(3, 2).assign(column);
    System.out.println("ND4J 1.0.0-M2.1: zeros(3, 2) after assign(1, 2):\n" + x);
    System.out.println("after assign(column 7, 8, 9):\n" + y);
    INDArray added = Nd4j.zeros(3, 2).addi(row);
    System.out.println("and after addi(1, 2):\n" + added);
    if (added.getDouble(2, 1) != 2) throw new AssertionError("changed: addi");
    if (x.getDouble(0, 1) != 2 || x.sumNumber().doubleValue() != 3) throw new AssertionError("changed: the row");
    if (y.getDouble(1, 0) != 9 || y.getDouble(2, 0) != 0) throw new AssertionError("changed: the column");
    System.out.println("Expected: the row in all three rows");
    System.out.println("Seen:     the row in the first one; the others stay 0");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
