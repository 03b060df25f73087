#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: the mean of 20 million FLOAT ones is 0.839 on one thread.
# Expected: 1, which a pairwise sum (NumPy's documented method) or a double accumulator gives.
# Seen: each thread adds up its share in one float, which stops growing at 16,777,216. With two threads it takes
#   40 million numbers, so the result depends on the machine.
# Why it matters: an embedding table of 50,000 words by 768 has 38 million numbers: statistics of weights,
#   gradient norms and mean losses over all tokens of an epoch are silently too small.
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
    System.out.println("ND4J 1.0.0-M2.1 with one thread");
    for (int n : new int[] {10_000_000, 20_000_000}) {
      INDArray ones = Nd4j.ones(DataType.FLOAT, n);
      double mean = ones.meanNumber().doubleValue();
      System.out.println(n + " ones: sum " + ones.sumNumber() + ", mean " + mean);
      ones.close();
      if (n == 10_000_000 && mean != 1) throw new AssertionError("changed: 10 million");
      if (n == 20_000_000 && mean > 0.99) throw new AssertionError("changed: the mean is right");
    }
    System.out.println("Expected: mean 1");
    System.out.println("Seen:     mean 0.839 of 20 million ones");
  }
}
JAVA
OMP_NUM_THREADS=1 java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
