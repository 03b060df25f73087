#!/usr/bin/env bash
# Deeplearning4j 1.0.0-M2.1: `ComputationGraph.numParams()` leaves out the parameters of vertices.
# Expected: the length of `params()`, the array of all parameters that are trained and saved.
# Seen: a network of one AttentionVertex [8 to 6] and an output layer has 194 parameters, but says 14: only layers are
#   counted. `params()`, the updater and the saved file have them all.
# Why it matters: sizes of models in logs and reports are wrong, and arrays for `setParams` that are made with numParams()
#   have the wrong length.
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
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions;

class Finding {
  public static void main(String[] args) {
    ComputationGraph net = new ComputationGraph(new NeuralNetConfiguration.Builder().graphBuilder()
        .addInputs("x")
        .addVertex("attention", new AttentionVertex.Builder().nHeads(2).headSize(3).nInQueries(8).nInKeys(8).nInValues(8)
            .nOut(6).projectInput(true).weightInit(WeightInit.XAVIER).build(), "x", "x", "x")
        .addLayer("output", new RnnOutputLayer.Builder(LossFunctions.LossFunction.MCXENT).nIn(6).nOut(2)
            .activation(Activation.SOFTMAX).build(), "attention")
        .setOutputs("output")
        .setInputTypes(InputType.recurrent(8))
        .build());
    net.init();
    System.out.println("Deeplearning4j 1.0.0-M2.1: params() has " + net.params().length() + " numbers, of which the vertex "
        + net.getVertex("attention").numParams() + "; numParams() is " + net.numParams());
    if (net.params().length() != net.getVertex("attention").numParams() + 14) throw new AssertionError("changed: params()");
    if (net.numParams() != 14) throw new AssertionError("changed: numParams()");
    System.out.println("Expected: numParams() is the length of params()");
    System.out.println("Seen:     the 14 of the output layer");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
