#!/usr/bin/env bash
# Deeplearning4j (nd4j-api) 1.0.0-M2.1: with a mask of single outputs after a softmax, masked outputs have no gradient, although the loss
#   depends on them.
# Expected: a masked output does not count in the loss, but raises the sum that the others are divided by; so its gradient is not 0.
# Seen: LossMSE, LossMAE, LossKLD, LossPoisson and LossHinge return 0 for it; the gradients of the other outputs are right.
# Why it matters: trainings with labels for some classes only, the usual reason for such a mask, follow no gradient of their score.
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
  <dependency><groupId>org.deeplearning4j</groupId><artifactId>deeplearning4j-nn</artifactId>
    <version>1.0.0-M2.1</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/Finding.java" <<'JAVA'
import java.util.List;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossHinge;
import org.nd4j.linalg.lossfunctions.impl.LossKLD;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossPoisson;

class Finding {
  static final INDArray LABELS = Nd4j.createFromArray(new double[][] {{1, 0, 0}});
  static final INDArray MASK = Nd4j.createFromArray(new double[][] {{1, 1, 0}});

  static double score(ILossFunction loss, int output, double shift) {
    INDArray outputs = Nd4j.createFromArray(new double[][] {{0.9, 0.2, 2.1}});
    outputs.putScalar(output, outputs.getDouble(output) + shift);
    return loss.computeScore(LABELS, outputs, new ActivationSoftmax(), MASK, false);
  }

  public static void main(String[] args) {
    Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    System.out.println("ND4J 1.0.0-M2.1: three outputs, the third masked; gradient / derivative of the score");
    for (ILossFunction loss : List.of(new LossMSE(), new LossMAE(), new LossKLD(), new LossPoisson(), new LossHinge())) {
      INDArray outputs = Nd4j.createFromArray(new double[][] {{0.9, 0.2, 2.1}});
      INDArray gradient = loss.computeGradient(LABELS, outputs, new ActivationSoftmax(), MASK);
      System.out.print(loss.getClass().getSimpleName() + ":");
      for (int i = 0; i < 3; i++) {
        double derivative = (score(loss, i, 1e-5) - score(loss, i, -1e-5)) / 2e-5;
        System.out.printf(" %.4f / %.4f", gradient.getDouble(i), derivative);
        boolean right = Math.abs(gradient.getDouble(i) - derivative) < 1e-4;
        if (right != (i < 2) || (i == 2 && Math.abs(gradient.getDouble(i)) > 1e-12)) throw new AssertionError("changed");
      }
      System.out.println();
    }
    System.out.println("Expected: all pairs agree");
    System.out.println("Seen:     0 instead of the third derivative");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
