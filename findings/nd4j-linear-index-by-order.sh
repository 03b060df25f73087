#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: the linear index of `getDouble(i)` runs along rows or along columns, depending on the memory
# order.
# Expected: equal arrays of the same shape give the same number for the same index, as `flat` in NumPy does for
#   either order.
# Seen: a c-ordered and an f-ordered array that are `equals` and print alike give different numbers for the same
#   index.
# Why it matters: the order is often chosen by ND4J itself (a transpose, a product of two f-ordered matrices),
#   and a loop over all weights or logits then reads them transposed.
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
    INDArray rows = Nd4j.arange(6).reshape(2, 3), columns = rows.dup('f');
    StringBuilder a = new StringBuilder(), b = new StringBuilder();
    for (int i = 0; i < 6; i++) {
      a.append(' ').append((int) rows.getDouble(i));
      b.append(' ').append((int) columns.getDouble(i));
    }
    System.out.println("ND4J 1.0.0-M2.1: " + rows);
    System.out.println("equal: " + rows.equals(columns) + "\nby linear index:" + a + "\nf-ordered:      " + b);
    if (!rows.equals(columns) || !a.toString().equals(" 0 1 2 3 4 5")) throw new AssertionError("changed: c");
    if (!b.toString().equals(" 0 3 1 4 2 5")) throw new AssertionError("changed: f");
    System.out.println("Expected: the same six numbers for both arrays");
    System.out.println("Seen:     0 1 2 3 4 5 for one, 0 3 1 4 2 5 for the other");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
