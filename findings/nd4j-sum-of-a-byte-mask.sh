#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: the sum of 8-bit numbers is 8-bit too: 200 ones make -56.
# Expected: 200. NumPy documents that it sums small integers in a wider type, PyTorch returns int64, and ND4J's
#   own `meanNumber` is right.
# Seen: the sum of a BYTE array wraps around at 128, that of a UBYTE array at 256; `sum(1)` and `sumNumber()`
#   alike.
# Why it matters: masks and token types are stored in bytes to save memory. The number of tokens in a text of
#   200 comes out negative, and mean pooling or a loss averaged over tokens divides by it. Cast to INT first.
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
    System.out.println("ND4J 1.0.0-M2.1");
    for (DataType type : new DataType[] {DataType.BYTE, DataType.UBYTE, DataType.INT}) {
      INDArray mask = Nd4j.ones(type, 1, 300);
      long row = mask.sum(1).getLong(0);
      double all = mask.sumNumber().doubleValue(), mean = mask.meanNumber().doubleValue();
      System.out.println("300 ones of " + type + ": sum(1) " + row + ", sumNumber " + all + ", meanNumber " + mean);
      if (row != (type == DataType.INT ? 300 : 44) || all != row) throw new AssertionError("changed: " + type);
    }
    INDArray mask = Nd4j.ones(DataType.BYTE, 1, 200);
    System.out.println("200 ones of BYTE: sum(1) " + mask.sum(1).getLong(0));
    if (mask.sum(1).getLong(0) != -56) throw new AssertionError("changed: 200 ones");
    System.out.println("Expected: 300, 300, 300 and 200");
    System.out.println("Seen:     44, 44, 300 and -56");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
