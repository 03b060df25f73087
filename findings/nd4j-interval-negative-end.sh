#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `NDArrayIndex.interval(0, -1)` selects everything, the last element included.
# Expected: all but the last element, as `[0:-1]` in Python, or an exception. The Javadoc calls the end
#   exclusive and says nothing about negative ones.
# Seen: every negative end (-1, -2, -3) means "to the end".
# Why it matters: inputs `[:, :-1]` and targets `[:, 1:]` of a language model, translated like this, differ in
#   length by one, and the last token becomes input and target at once.
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
    INDArray ids = Nd4j.arange(6);
    System.out.println("ND4J 1.0.0-M2.1");
    for (int end : new int[] {4, -1, -2, -3}) {
      INDArray part = ids.get(NDArrayIndex.interval(0, end));
      System.out.println("interval(0, " + end + "): " + part);
      if (part.length() != (end > 0 ? end : 6)) throw new AssertionError("changed: the end " + end);
    }
    System.out.println("Expected: interval(0, -1) has 5 of 6 elements, or an exception");
    System.out.println("Seen:     it has all 6, and so have -2 and -3");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
