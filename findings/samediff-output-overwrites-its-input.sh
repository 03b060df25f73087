#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: `sd.output` may overwrite the array that the caller passed in.
# Expected: inputs are only read.
# Seen: if the array has another type than its placeholder, SameDiff casts it, then treats the caller's array as
#   one of its own temporaries and writes a later result into it. The same call, made three times with the same
#   ids, gives 104, 104 and 204.
# Why it matters: ids are LONG in most JVM tokenizers and INT in many graphs: a test set kept in memory changes
#   while it is being evaluated.
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
import java.util.Map;
import org.nd4j.autodiff.samediff.*;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  public static void main(String[] args) {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder("ids", DataType.INT, 2, 2);
    x.castTo(DataType.LONG).add("result", 100);
    INDArray ids = Nd4j.createFromArray(new long[][] {{1, 2}, {3, 4}});
    long[] results = new long[3];
    System.out.println("SameDiff 1.0.0-M2.1: ids + 100; the ids are LONG, their placeholder is INT");
    for (int i = 0; i < 3; i++) {
      results[i] = sd.output(Map.of("ids", ids), "result").get("result").getLong(1, 1);
      System.out.println("last id + 100 = " + results[i] + ", the last id is now " + ids.getLong(1, 1));
    }
    if (results[0] != 104 || results[1] != 104) throw new AssertionError("changed: the first calls");
    if (results[2] != 204 || ids.getLong(1, 1) != 104) throw new AssertionError("changed: the ids stay");
    System.out.println("Expected: 104 three times");
    System.out.println("Seen:     104, 104, 204: the ids were overwritten");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
