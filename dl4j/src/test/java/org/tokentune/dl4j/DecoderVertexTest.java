package org.tokentune.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.SafeTensors;
import org.tokentune.models.Pooling;

/** A decoder under a classification head. */
class DecoderVertexTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");
  private static final int CLASSES = 2;

  @TempDir Path folder;

  private static ComputationGraph classifier(EncoderVertex vertex) {
    ComputationGraph net =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Adam(3e-3))
                .graphBuilder()
                .addInputs("ids", "mask")
                .addVertex("decoder", vertex, "ids", "mask")
                .addLayer(
                    "output",
                    new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(vertex.hidden())
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build(),
                    "decoder")
                .setOutputs("output")
                .build());
    net.init();
    return net;
  }

  /** Recorded from transformers: the hidden states after the last norm. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "gpt2"})
  void outputIsTheLastTokensHiddenState(String family) {
    try (ModelFiles files = TestEncoder.copied(GOLDEN.resolve(family), folder);
        SafeTensors recorded = SafeTensors.open(GOLDEN.resolve(family + "/lm.safetensors"))) {
      INDArray ids = recorded.read("input_ids");
      INDArray mask = recorded.read("attention_mask");
      int layers =
          files.config().path("num_hidden_layers").asInt(files.config().path("n_layer").asInt());
      INDArray hidden = recorded.read("hidden." + layers);
      ComputationGraph net = classifier(EncoderVertex.of(files, "all"));
      INDArray rows = net.feedForward(new INDArray[] {ids, mask}, false).get("decoder");
      // Whatever pads: it may be a token that also ends texts.
      INDArray padded = ids.mul(mask).add(mask.rsub(1).mul(ids.getInt(0, 0)));
      assertSameBits(rows, net.feedForward(new INDArray[] {padded, mask}, false).get("decoder"));
      int[] lengths = mask.sum(1).toIntVector();
      double worst = 0;
      for (int row = 0; row < lengths.length; row++) {
        INDArray expected =
            hidden.get(
                NDArrayIndex.point(row), NDArrayIndex.point(lengths[row] - 1), NDArrayIndex.all());
        worst = Math.max(worst, rows.getRow(row).sub(expected).amaxNumber().doubleValue());
      }
      System.out.printf(
          "%s: rows of texts of %s tokens differ by %.1e%n",
          family, Arrays.toString(lengths), worst);
      assertTrue(worst < 1e-4, worst + "");
    }
  }

  private static MultiDataSet batch() {
    int[][] ids = {{5, 9, 3, 11, 7, 2}, {4, 8, 6, 0, 0, 0}, {12, 3, 9, 10, 0, 0}};
    int[][] mask = {{1, 1, 1, 1, 1, 1}, {1, 1, 1, 0, 0, 0}, {1, 1, 1, 1, 0, 0}};
    float[][] labels = {{1, 0}, {0, 1}, {0, 1}};
    return new MultiDataSet(
        new INDArray[] {Nd4j.createFromArray(ids), Nd4j.createFromArray(mask)},
        new INDArray[] {Nd4j.createFromArray(labels)});
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "gpt2"})
  void gradientsAreTheSlopeOfTheScore(String family) {
    try (ModelFiles files = TestEncoder.copied(GOLDEN.resolve(family), folder)) {
      for (Pooling pooling : new Pooling[] {Pooling.LAST, Pooling.MEAN}) {
        EncoderVertex vertex = EncoderVertex.of(files, pooling, "all", 1, 7);
        VertexTrainingTest.assertSlope(classifier(vertex), batch());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "gpt2"})
  void trainsOnSelectedTokensAndIsSaved(String family) throws IOException {
    File saved = folder.resolve("net.zip").toFile();
    MultiDataSet batch = batch();
    try (ModelFiles files = TestEncoder.copied(GOLDEN.resolve(family), folder)) {
      for (boolean lora : new boolean[] {false, true}) {
        EncoderVertex vertex = EncoderVertex.of(files, "2");
        ComputationGraph net =
            classifier(lora ? vertex.withLora(LoraConfig.on(LoraConfig.ALL_LINEAR)) : vertex);
        double before = net.score(batch);
        for (int step = 0; step < 30; step++) {
          net.fit(batch);
        }
        System.out.printf(
            "%s, adapters %s: loss %.3f, then %.3f%n", family, lora, before, net.score(batch));
        assertTrue(net.score(batch) < before / 2);
        ModelSerializer.writeModel(net, saved, true);
        assertSameBits(
            net.outputSingle(batch.getFeatures()),
            ModelSerializer.restoreComputationGraph(saved, true).outputSingle(batch.getFeatures()));
      }
      assertEquals(
          "The first token of a decoder has seen no other; pool the last one, or the mean.",
          assertThrows(
                  BadSettingsException.class,
                  () -> EncoderVertex.of(files, Pooling.FIRST, "all", 1, 7))
              .getMessage());
    }
  }
}
