#!/usr/bin/env bash
# Deeplearning4j (nd4j-api) 1.0.0-M2.1: LossMAE's score of each row is a sum over outputs, not a mean.
# Expected: the mean of the rows' scores (computeScoreArray, scoreExamples) is the score (computeScore), as for LossMSE.
# Seen: with 4 outputs LossMAE's rows are 4 times the score; LossMSE's are not.
# Why it matters: thresholds on the errors of single rows, as for finding outliers by an autoencoder, are off by the number of outputs
#   when MSE is exchanged for MAE.
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
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

class Finding {
  static double ratio(ILossFunction loss) {
    INDArray labels = Nd4j.zeros(2, 4), output = Nd4j.createFromArray(new float[][] {{1, 1, 1, 1}, {2, 2, 2, 2}});
    double score = loss.computeScore(labels, output.dup(), new ActivationIdentity(), null, true);
    INDArray rows = loss.computeScoreArray(labels, output.dup(), new ActivationIdentity(), null);
    System.out.println(loss + ": score " + score + ", rows " + rows.getDouble(0) + " and " + rows.getDouble(1));
    return rows.meanNumber().doubleValue() / score;
  }

  public static void main(String[] args) {
    System.out.println("ND4J 1.0.0-M2.1: errors of 1 in the four outputs of one row, of 2 in those of the other");
    if (ratio(new LossMSE()) != 1 || ratio(new LossMAE()) != 4) throw new AssertionError("changed");
    System.out.println("Expected: LossMAE's rows are 1 and 2, whose mean is the score 1.5");
    System.out.println("Seen:     4 and 8");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
