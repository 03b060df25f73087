#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: the gradient of `gather` does not add up repeated ids.
# Expected: the sum over all occurrences, as for an embedding in any framework.
# Seen: for a vector of ids along axis 0, a row that is looked up three times gets the gradient of one
#   occurrence. There is no error or warning.
# Why it matters: in an embedding trained with `gather`, a word that is frequent in the batch learns from only
#   one of its occurrences.
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
import java.io.OutputStream;
import java.io.PrintStream;
import org.nd4j.autodiff.samediff.*;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  static INDArray gradient(SameDiff sd, String of) { // SameDiff prints a line for every op meanwhile
    PrintStream out = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    try { return sd.calculateGradients(null, of).get(of); } finally { System.setOut(out); }
  }

  public static void main(String[] args) {
    SameDiff sd = SameDiff.create();
    SDVariable table = sd.var("table", Nd4j.ones(3, 2));
    SDVariable rows = sd.gather(table, sd.constant(Nd4j.createFromArray(1, 1, 1, 2)), 0);
    rows.sum().markAsLoss();
    INDArray g = gradient(sd, "table");
    System.out.println("SameDiff 1.0.0-M2.1: ids 1, 1, 1, 2; loss = sum of the rows");
    System.out.println("gradient of the table:\n" + g);
    System.out.println("expected in row 1: 3, 3");
    if (g.getDouble(1, 0) != 1 || g.getDouble(2, 0) != 1) throw new AssertionError("changed: repeated ids");
    System.out.println("Expected: row 1: 3, 3");
    System.out.println("Seen:     row 1: 1, 1");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
