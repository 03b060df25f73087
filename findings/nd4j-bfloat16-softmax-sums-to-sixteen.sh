#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: softmax of 16-bit numbers sums its denominator in 16 bits, where the sum soon stops growing.
# Expected: softmax of 4096 equal numbers is 1/4096 each, which both 16-bit formats can represent.
# Seen: with BFLOAT16 each is 1/256 and together they make 16; with HALF they make 2.
# Why it matters: in attention over long contexts, or over any real vocabulary, the probabilities of a 16-bit
#   model are too large by up to an order of magnitude, while each looks plausible by itself.
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
  static double total(DataType type) {
    INDArray p = Nd4j.nn.softmax(Nd4j.create(type, 1, 4096), 1).castTo(DataType.DOUBLE);
    System.out.println(type + ": each 1/" + 1 / p.getDouble(0, 0) + ", together " + p.sumNumber());
    return p.sumNumber().doubleValue();
  }

  public static void main(String[] args) {
    System.out.println("ND4J 1.0.0-M2.1: softmax of 4096 zeros");
    if (Math.abs(total(DataType.FLOAT) - 1) > 1e-6) throw new AssertionError("changed: FLOAT");
    if (total(DataType.HALF) != 2) throw new AssertionError("changed: HALF");
    if (total(DataType.BFLOAT16) != 16) throw new AssertionError("changed: BFLOAT16");
    System.out.println("Expected: the probabilities add up to 1");
    System.out.println("Seen:     they add up to 2 (HALF) and 16 (BFLOAT16)");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
