#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: a loss that is marked after the first gradient does not count.
# Expected: the gradient of the sum of all losses that getLossVariables() lists, as without the earlier gradient; setLossVariables does drop
#   the gradient graph.
# Seen: markAsLoss (and addLossVariable) leave the gradient graph as it was made for the earlier losses, so the gradient is theirs alone. The
#   list of losses and the losses' values have the new one, so nothing looks wrong.
# Why it matters: an auxiliary loss that is added after a look at the gradients, or after a few steps, trains nothing.
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
  static SameDiff graph() {
    SameDiff sd = SameDiff.create();
    SDVariable w = sd.var("w", Nd4j.createFromArray(3f, 4f));
    w.mul("twice", 2).sum().markAsLoss();
    return sd;
  }

  static void second(SameDiff sd) {
    sd.getVariable("twice").mul(10).sum("second").markAsLoss();
  }

  static INDArray gradient(SameDiff sd) { // SameDiff prints a line for every op meanwhile
    PrintStream out = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    try { return sd.calculateGradients(null, "w").get("w"); } finally { System.setOut(out); }
  }

  public static void main(String[] args) {
    SameDiff fresh = graph();
    second(fresh);
    SameDiff looked = graph();
    gradient(looked);
    second(looked);
    System.out.println("SameDiff 1.0.0-M2.1: losses " + fresh.getLossVariables() + ", gradient " + gradient(fresh));
    System.out.println("the same, after a gradient of the first: losses " + looked.getLossVariables() + ", gradient " + gradient(looked));
    if (gradient(fresh).getDouble(0) != 22 || gradient(looked).getDouble(0) != 2) throw new AssertionError("changed");
    looked.setLossVariables(looked.getLossVariables().toArray(new String[0]));
    if (gradient(looked).getDouble(0) != 22) throw new AssertionError("changed: setLossVariables");
    System.out.println("Expected: 22 both times");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
