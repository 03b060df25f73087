#!/usr/bin/env bash
# Deeplearning4j 1.0.0-M2.1: layers that are defined in SameDiff train with twice their gradient, and pass twice the gradient on.
# Expected: with Sgd and a rate of 1, an update that is the gradient of the score, by finite differences, in every parameter.
# Seen: it is twice that in SelfAttentionLayer, and 2, 4, 8 times that below 1, 2, 3 of them: a layer doubles what it passes on, too.
#   The same was seen with RecurrentAttentionLayer, LocallyConnected1D, AttentionVertex and a SameDiffLayer of one multiplication.
# Why it matters: a rate that suits one layer is 2 to the power of the depth too large below; clipping by norm and L2 are out of
#   proportion; gradients of a stack of 12 would be 4096 times too large at the bottom. Adam hides it, plain SGD does not.
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
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;

class Finding {
  /** The update by the gradient, of the first parameter of the network and the last. */
  static double[] ratios(int layers) {
    var list = new NeuralNetConfiguration.Builder().dataType(DataType.DOUBLE).seed(1).updater(new Sgd(1)).list();
    for (int i = 0; i < layers; i++) {
      list.layer(new SelfAttentionLayer.Builder().nOut(4).nHeads(2).projectInput(true).build());
    }
    MultiLayerNetwork net = new MultiLayerNetwork(list.layer(new GlobalPoolingLayer.Builder(PoolingType.AVG).build())
        .layer(new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT).activation(Activation.SOFTMAX).nOut(2).build())
        .setInputType(InputType.recurrent(3, 5)).build());
    net.init();
    Nd4j.getRandom().setSeed(3);
    DataSet data = new DataSet(Nd4j.randn(DataType.DOUBLE, 3, 3, 5), Nd4j.createFromArray(new double[][] {{1, 0}, {0, 1}, {1, 0}}));
    INDArray params = net.params();
    long last = params.length() - 1, value = 2 * 3 * 4; // the largest gradients are those of values, here the first of them
    double[] gradients = {gradient(net, data, value), gradient(net, data, last)};
    INDArray before = params.dup();
    net.fit(data);
    INDArray update = before.sub(net.params());
    double[] ratios = {update.getDouble(value) / gradients[0], update.getDouble(last) / gradients[1]};
    System.out.printf("%d attention layers: update / gradient is %.4f in the lowest, %.4f in the output layer%n", layers,
        ratios[0], ratios[1]);
    return ratios;
  }

  static double gradient(MultiLayerNetwork net, DataSet data, long i) {
    INDArray params = net.params();
    double value = params.getDouble(i), h = 1e-5;
    params.putScalar(i, value + h);
    double up = net.score(data, true);
    params.putScalar(i, value - h);
    double down = net.score(data, true);
    params.putScalar(i, value);
    return (up - down) / (2 * h);
  }

  public static void main(String[] args) {
    System.out.println("Deeplearning4j 1.0.0-M2.1, Sgd(1), double precision");
    for (int layers = 1; layers <= 3; layers++) {
      double[] ratios = ratios(layers);
      if (Math.abs(ratios[0] - Math.pow(2, layers)) > 0.01 || Math.abs(ratios[1] - 1) > 0.01) throw new AssertionError("changed");
    }
    System.out.println("Expected: 1.0000 everywhere");
    System.out.println("Seen:     2, 4, 8 below 1, 2, 3 layers");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java" | grep -v "Added differentiated op"
