#!/usr/bin/env bash
# Deeplearning4j 1.0.0-M2.1: the updater AdaBelief, which is offered like Adam, cannot be used in a network.
# Expected: a training, as with Adam, AdaMax, Nadam and AMSGrad in its place.
# Seen: the first fit ends in an ArrayIndexOutOfBoundsException (Index 1 out of bounds for length 1), as the state is expected to be
#   a matrix and is a vector in this version.
# Why it matters: configurations with it can be built, saved and loaded, and fail when they are trained.
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
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaBelief;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions;

class Finding {
  public static void main(String[] args) {
    System.out.println("Deeplearning4j 1.0.0-M2.1");
    for (IUpdater updater : List.of(new Adam(0.01), new AdaMax(0.01), new AMSGrad(0.01), new AdaBelief(0.01))) {
      MultiLayerNetwork net = new MultiLayerNetwork(new NeuralNetConfiguration.Builder().updater(updater).list()
          .layer(new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT).activation(Activation.SOFTMAX).nIn(3).nOut(2).build()).build());
      net.init();
      String end = "trains";
      try {
        net.fit(new DataSet(Nd4j.rand(2, 3), Nd4j.eye(2)));
      } catch (ArrayIndexOutOfBoundsException e) {
        end = e.getMessage();
      }
      System.out.println(updater.getClass().getSimpleName() + ": " + end);
      if (end.equals("trains") == updater instanceof AdaBelief) throw new AssertionError("changed");
    }
    System.out.println("Expected: all train");
    System.out.println("Seen:     AdaBelief does not");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
