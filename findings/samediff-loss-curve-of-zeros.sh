#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: the loss curve in the `History` that `fit` returns is 0 for every epoch.
# Expected: the training loss.
# Seen: zeros, however large the loss is: a training step leaves out the operation that computes the loss unless
#   something else asks for its value.
# Why it matters: this is how one sees whether fine-tuning works. The curve says that everything is learnt from
#   the first epoch on, and a stopping rule that reads it stops at once.
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
import java.util.Map;
import org.nd4j.autodiff.listeners.records.History;
import org.nd4j.autodiff.samediff.*;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

class Finding {
  public static void main(String[] args) {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, 3), y = sd.placeHolder("y", DataType.FLOAT, -1, 2);
    sd.loss.meanSquaredError("loss", y, x.mmul(sd.var("w", Nd4j.ones(3, 2))), null).markAsLoss();
    sd.setTrainingConfig(TrainingConfig.builder().updater(new Sgd(1e-4)).dataSetFeatureMapping("x")
        .dataSetLabelMapping("y").build());
    INDArray in = Nd4j.ones(2, 3), out = Nd4j.ones(2, 2).mul(100);
    PrintStream print = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream())); // SameDiff prints a line for every op
    History history = sd.fit(new SingletonDataSetIterator(new DataSet(in, out)), 3);
    double loss = sd.output(Map.of("x", in, "y", out), "loss").get("loss").getDouble(0);
    INDArray curve = history.lossCurve().getLossValues();
    print.println("SameDiff 1.0.0-M2.1\nloss curve of three epochs:\n" + curve + "\nloss afterwards: " + loss);
    if (curve.length() != 3 || curve.amaxNumber().doubleValue() != 0) throw new AssertionError("changed: the curve");
    if (loss < 1000) throw new AssertionError("the loss");
    print.println("Expected: three losses of several thousand");
    print.println("Seen:     three zeros");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
