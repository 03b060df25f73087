#!/usr/bin/env bash
# Deeplearning4j 1.0.0-M2.1: Bidirectional(LSTM) reads what the mask hides.
# Expected: outputs at the steps of a text that do not depend on what stands in the padding after it, as with LSTM,
#   GravesBidirectionalLSTM and Bidirectional(SimpleRnn).
# Seen: with other numbers in masked steps, outputs at valid steps differ; with zeros there, they still differ from those of the same
#   text without padding. So a text's classes depend on how long the longest text of its batch is.
# Why it matters: predictions of one text alone and in a batch differ, and evaluations depend on the batch size.
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
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions;

class Finding {
  /** The greatest differences of the valid outputs: with other numbers in the padding, and without padding. */
  static double[] differences(String name, Layer layer) {
    MultiLayerNetwork net = new MultiLayerNetwork(new NeuralNetConfiguration.Builder().dataType(DataType.DOUBLE).seed(1).list()
        .layer(layer)
        .layer(new RnnOutputLayer.Builder(LossFunctions.LossFunction.MCXENT).activation(Activation.SOFTMAX).nOut(2).build())
        .setInputType(InputType.recurrent(3, 5)).build());
    net.init();
    Nd4j.getRandom().setSeed(3);
    INDArray text = Nd4j.randn(DataType.DOUBLE, 1, 3, 3);
    INDArray mask = Nd4j.createFromArray(new double[][] {{1, 1, 1, 0, 0}});
    INDArray zeros = Nd4j.concat(2, text, Nd4j.zeros(DataType.DOUBLE, 1, 3, 2));
    INDArray sevens = Nd4j.concat(2, text, Nd4j.valueArrayOf(new long[] {1, 3, 2}, 7.0, DataType.DOUBLE));
    INDArray padded = valid(net.output(zeros, false, mask, null));
    double other = valid(net.output(sevens, false, mask, null)).sub(padded).amaxNumber().doubleValue();
    double alone = net.output(text, false).sub(padded).amaxNumber().doubleValue();
    System.out.printf("%-25s padding of 7 instead of 0: %.6f, no padding: %.6f%n", name, other, alone);
    return new double[] {other, alone};
  }

  static INDArray valid(INDArray output) {
    return output.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, 3)).dup();
  }

  public static void main(String[] args) {
    Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    System.out.println("Deeplearning4j 1.0.0-M2.1: 3 steps and 2 masked ones, greatest difference of outputs at the 3 steps");
    double[] one = differences("LSTM", new LSTM.Builder().nOut(4).build());
    double[] simple = differences("Bidirectional(SimpleRnn)",
        new Bidirectional(Bidirectional.Mode.CONCAT, new SimpleRnn.Builder().nOut(4).build()));
    double[] both = differences("Bidirectional(LSTM)",
        new Bidirectional(Bidirectional.Mode.CONCAT, new LSTM.Builder().nOut(4).build()));
    for (int i = 0; i < 2; i++) {
      if (one[i] > 1e-9 || simple[i] > 1e-9 || both[i] < 1e-3) throw new AssertionError("changed");
    }
    System.out.println("Expected: 0 in all rows");
    System.out.println("Seen:     Bidirectional(LSTM) differs in both");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
