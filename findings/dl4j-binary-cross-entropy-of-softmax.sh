#!/usr/bin/env bash
# Deeplearning4j (nd4j-api) 1.0.0-M2.1: the score of LossBinaryXENT after a softmax is that of another loss than the one whose gradient
#   it returns.
# Expected: the score is the sum of -y log p - (1 - y) log(1 - p) over the outputs, and the gradient its derivative.
# Seen: the score leaves (1 - y) log(1 - p) out, so it is the cross-entropy of the classes; the gradient is that of the whole formula, and
#   for two classes twice the derivative of the score. With a sigmoid both agree with the formula.
# Why it matters: logged losses, early stopping and gradient checks are about another function than what is trained; with two classes
#   the effective rate is twice that of MCXENT although all scores are equal.
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
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;

class Finding {
  static final LossBinaryXENT LOSS = new LossBinaryXENT();
  static final INDArray LABELS = Nd4j.createFromArray(new double[][] {{0, 1}});

  static double score(IActivation activation, double first) {
    return LOSS.computeScore(LABELS, Nd4j.createFromArray(new double[][] {{first, 1.2}}), activation, null, false);
  }

  /** The score by the formula's, and the gradient of the first output by the derivative of the score. */
  static double[] ratios(IActivation activation) {
    INDArray outputs = Nd4j.createFromArray(new double[][] {{0.3, 1.2}});
    INDArray p = activation.getActivation(outputs.dup(), false);
    double formula = -Math.log(1 - p.getDouble(0)) - Math.log(p.getDouble(1));
    double gradient = LOSS.computeGradient(LABELS, outputs.dup(), activation, null).getDouble(0);
    double derivative = (score(activation, 0.3 + 1e-5) - score(activation, 0.3 - 1e-5)) / 2e-5;
    System.out.printf("%s: score %.4f, formula %.4f; gradient %.4f, derivative of the score %.4f%n", activation,
        score(activation, 0.3), formula, gradient, derivative);
    return new double[] {score(activation, 0.3) / formula, gradient / derivative};
  }

  public static void main(String[] args) {
    Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    System.out.println("ND4J 1.0.0-M2.1: outputs 0.3 and 1.2, labels 0 and 1");
    double[] sigmoid = ratios(new ActivationSigmoid()), softmax = ratios(new ActivationSoftmax());
    if (Math.abs(sigmoid[0] - 1) > 1e-4 || Math.abs(sigmoid[1] - 1) > 1e-4) throw new AssertionError("changed: sigmoid");
    if (Math.abs(softmax[0] - 0.5) > 1e-4 || Math.abs(softmax[1] - 2) > 1e-4) throw new AssertionError("changed: softmax");
    System.out.println("Expected: both columns of each pair agree");
    System.out.println("Seen:     after a softmax the score is half of the formula, and the gradient is the formula's");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
