#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `NDArrayIndex.interval(0, -1)` takes all elements, the last one included, and so do the ends -2
# and -3. The documentation says that the end is exclusive; nothing is said of negative ends. Expected was Python's
# meaning, all but the last, or an exception. It matters for a language model's targets: inputs `[.., :-1]` and
# labels `[.., 1:]` translated like this differ in length by one, and the last token is both input and label.
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
    System.out.println("As described: every negative end means everything.");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
