#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: the text of rows 3 to 6 of a column [7, 1] shows the first number and then empty brackets,
# although all four numbers are there: sums, reads and copies have them. Expected are the numbers. It matters where
# somebody looks for the reason of a bad training: labels and scores are columns, KFoldIterator and splits hand out
# such views, and the log shows a data set that seems to have lost all its rows but one.
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
    System.out.println("As described: 4, 5 and 6 are there and not shown.");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
