#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: a negative element index is accepted and means three different things, none of them "from the
# end".
# Expected: the last column, as `size(-1)` and `sum(-1)` interpret it, or an exception.
# Seen: on a [2, 6] array `getDouble(1, -1)` adds the number of dimensions and reads column 1; `getLong(1, -1)`
#   reads the last number of the previous row; `putScalar(1, -1, x)` overwrites that number.
# Why it matters: code ported from Python takes the logits of the last token as `[.., -1]` and gets those of
#   another token here.
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
    INDArray x = Nd4j.arange(12).reshape(2, 6);
    double read = x.getDouble(1, -1);
    long readLong = x.getLong(1, -1);
    System.out.println("ND4J 1.0.0-M2.1: x =\n" + x);
    System.out.println("getDouble(1, -1): " + read + ", getLong(1, -1): " + readLong + ", expected 11");
    x.putScalar(1, -1, 77);
    System.out.println("after putScalar(1, -1, 77):\n" + x);
    if (read != 7) throw new AssertionError("changed: getDouble");
    if (readLong != 5) throw new AssertionError("changed: getLong");
    if (x.getDouble(0, 5) != 77 || x.getDouble(1, 5) != 11) throw new AssertionError("changed: putScalar");
    System.out.println("Expected: element [1, 5] is read twice and written once");
    System.out.println("Seen:     [1, 1] and [0, 5] are read, [0, 5] is written");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
