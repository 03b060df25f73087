#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `Nd4j.nn.topK(x, k, sorted)` and `sd.nn.topK` ignore k.
# Expected: the k largest numbers, as both document.
# Seen: with `sorted` true there is always one number: the flag reaches the operation in place of k. There is no
#   error and no warning.
# Why it matters: top-50 sampling becomes greedy decoding, and top-5 accuracy or recall at k becomes top-1.
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
    INDArray x = Nd4j.createFromArray(new float[][] {{1, 5, 3, 4, 2}});
    System.out.println("ND4J 1.0.0-M2.1: x = " + x);
    for (int k = 1; k <= 4; k++) {
      INDArray[] out = Nd4j.nn.topK(x, k, true);
      System.out.println("topK(x, " + k + ", true): values " + out[0] + ", indices " + out[1]);
      if (out[0].size(1) != 1) throw new AssertionError("changed: k counts");
    }
    System.out.println("Expected: k numbers");
    System.out.println("Seen:     one number for every k");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
