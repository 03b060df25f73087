#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: printing part of a column shows empty brackets instead of most of its numbers.
# Expected: all four numbers in rows 3 to 6 of a [7, 1] column.
# Seen: the first number and then empty brackets. Sums, reads and copies of the same view are right, and the copy
#   prints correctly.
# Why it matters: labels and scores are columns, and splits hand out such views: logged while looking for the
#   cause of a failed training, they look like a data set that has lost its rows.
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
import org.nd4j.linalg.indexing.NDArrayIndex;

class Finding {
  public static void main(String[] args) {
    INDArray labels = Nd4j.arange(7).reshape(7, 1);
    INDArray part = labels.get(NDArrayIndex.interval(3, 7), NDArrayIndex.all());
    System.out.println("ND4J 1.0.0-M2.1: rows 3 to 6 of a column of 0 to 6:\n" + part);
    System.out.println("its sum: " + part.sumNumber() + "\nits copy:\n" + part.dup());
    if (part.sumNumber().intValue() != 18) throw new AssertionError("changed: the sum");
    if (!part.dup().toString().contains("6.0000")) throw new AssertionError("changed: the copy's text");
    if (part.toString().contains("6.0000") || !part.toString().contains("[]"))
      throw new AssertionError("changed: the view's text");
    System.out.println("Expected: 3, 4, 5 and 6 in the text");
    System.out.println("Seen:     only 3; the other rows are printed as empty brackets");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
