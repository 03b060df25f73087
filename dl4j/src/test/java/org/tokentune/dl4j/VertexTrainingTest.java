package org.tokentune.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.areSame;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.tokentune.BadInputException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Pooling;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.train.MemorySettings;

/** What an {@link EncoderVertex} trains, and how it stores activations. */
class VertexTrainingTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");

  /** Of central differences, along a vector of length 1. */
  private static final double STEP = 2e-3;

  @TempDir Path folder;

  private static ComputationGraph network(
      ModelFiles files, String tokens, UnaryOperator<EncoderVertex> change) {
    return TestEncoder.classifier(
        files, change.apply(EncoderVertex.of(files, Pooling.FIRST, tokens, 1, TestEncoder.SEED)));
  }

  private static void compute(ComputationGraph net, MultiDataSet batch) {
    net.setInputs(batch.getFeatures());
    net.setLabels(batch.getLabels());
    net.computeGradientAndScore();
  }

  /** Those of the parameters that train are the same, whatever else does. */
  @Test
  void gradientsDoNotDependOnWhatElseTrains() {
    MultiDataSet batch = TestEncoder.batch(11);
    try (ModelFiles files = TestEncoder.golden(0.1)) {
      ComputationGraph all = network(files, "3", vertex -> vertex);
      compute(all, batch);
      for (String part : List.of("last:1", "no-embeddings", "bert.encoder.layer.0.output.*")) {
        ComputationGraph some = network(files, "3", vertex -> vertex.withTrainable(part));
        assertEquals(some.numParams(), some.params().length());
        assertTrue(some.numParams() < all.numParams());
        compute(some, batch);
        assertEquals(all.score(), some.score());
        assertFalse(some.gradient().gradientForVariable().isEmpty());
        some.gradient()
            .gradientForVariable()
            .forEach(
                (name, gradient) -> assertSameBits(all.gradient().getGradientFor(name), gradient));
        System.out.printf("%s: %,d of %,d parameters%n", part, some.numParams(), all.numParams());
      }
    }
  }

  /** Rounded activations change them a little, recomputed ones not at all. */
  @Test
  void recomputationLeavesGradientsAlone() {
    MultiDataSet batch = TestEncoder.batch(11);
    try (ModelFiles files = TestEncoder.golden(0.1)) {
      ComputationGraph plain = network(files, "all", vertex -> vertex);
      compute(plain, batch);
      INDArray expected = plain.gradient().gradient();
      for (ActivationCheckpointing level : ActivationCheckpointing.values()) {
        ComputationGraph net =
            network(files, "all", vertex -> vertex.withMemory(MemorySettings.of(level)));
        compute(net, batch);
        assertSameBits(expected, net.gradient().gradient());
      }
      MemorySettings rounded =
          new MemorySettings(ActivationCheckpointing.ELEMENTWISE, ActivationPrecision.BF16, 0);
      ComputationGraph net = network(files, "all", vertex -> vertex.withMemory(rounded));
      compute(net, batch);
      double off =
          net.gradient().gradient().sub(expected).norm2Number().doubleValue()
              / expected.norm2Number().doubleValue();
      System.out.printf("bf16: gradients differ by %.1e%n", off);
      assertTrue(off > 0 && off < 1e-2, off + "");
    }
  }

  /** Central difference of the score along the gradient: its length. */
  @Test
  void adaptersHaveTheSlopeOfTheScore() {
    MultiDataSet batch = TestEncoder.batch(11);
    try (ModelFiles files = TestEncoder.golden(0)) {
      LoraConfig lora = LoraConfig.on(LoraConfig.ALL_LINEAR).withRank(2);
      ComputationGraph net = network(files, "all", vertex -> vertex.withLora(lora));
      net.fit(batch); // B begins as 0, and then A has no gradient
      net.fit(batch);
      assertTrue(net.paramTable().keySet().stream().anyMatch(key -> key.contains("lora-A")));
      assertSlope(net, batch);
    }
  }

  static void assertSlope(ComputationGraph net, MultiDataSet batch) {
    compute(net, batch);
    INDArray gradient = net.gradient().gradient().dup().divi(batch.getLabels(0).size(0));
    double length = gradient.norm2Number().doubleValue();
    INDArray step = gradient.div(length).muli(STEP).reshape(net.params().shape());
    net.params().addi(step);
    double above = net.score(batch);
    net.params().subi(step.mul(2));
    double below = net.score(batch);
    net.params().addi(step);
    double slope = (above - below) / (2 * STEP);
    System.out.printf("slope %.6f, gradient %.6f%n", slope, length);
    assertTrue(length > 1e-3);
    assertEquals(1, slope / length, 1e-2);
  }

  @Test
  void frozenEncoderGivesTheSameRows() {
    MultiDataSet batch = TestEncoder.batch(2);
    try (ModelFiles files = TestEncoder.golden(0)) {
      ComputationGraph all = network(files, "all", vertex -> vertex);
      ComputationGraph none = network(files, "all", vertex -> vertex.withTrainable("none"));
      assertSameBits(all.outputSingle(batch.getFeatures()), none.outputSingle(batch.getFeatures()));
      double before = none.score(batch);
      for (int step = 0; step < 20; step++) {
        none.fit(batch);
      }
      assertEquals(none.getLayer("output").numParams(), none.numParams());
      assertTrue(none.score(batch) < before);
    }
  }

  /** Only what trains is saved; the rest is read from the model again, which must be the same. */
  @Test
  void savedNetworksFindTheirBase() throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    File saved = folder.resolve("net.zip").toFile();
    INDArray[] features = TestEncoder.batch(2).getFeatures();
    INDArray expected;
    INDArray later;
    try (ModelFiles files = TestEncoder.copied(GOLDEN, base)) {
      LoraConfig lora = LoraConfig.on("query", "value").withRank(2);
      ComputationGraph net = network(files, "3", vertex -> vertex.withLora(lora));
      net.fit(TestEncoder.batch(1));
      ModelSerializer.writeModel(net, saved, true);
      expected = net.outputSingle(features);
      ComputationGraph copy = net.clone();
      assertSameBits(expected, copy.outputSingle(features));
      net.fit(TestEncoder.batch(3));
      later = net.outputSingle(features);
      assertFalse(areSame(expected, later));
    }
    ComputationGraph loaded = ModelSerializer.restoreComputationGraph(saved, true);
    assertSameBits(expected, loaded.outputSingle(features));
    loaded.fit(TestEncoder.batch(3));
    assertSameBits(later, loaded.outputSingle(features));

    byte[] weights = Files.readAllBytes(base.resolve("model.safetensors"));
    weights[weights.length / 2] ^= 1;
    Files.write(base.resolve("model.safetensors"), weights);
    assertRefused("are not those that the network was trained on", saved);
    Files.move(base, folder.resolve("elsewhere"));
    assertRefused("which cannot be had", saved);
  }

  private static void assertRefused(String part, File saved) {
    String message =
        assertThrows(
                BadInputException.class, () -> ModelSerializer.restoreComputationGraph(saved, true))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains(part), message);
  }

  /** DL4J's own form of a batch: the attention mask is the mask of features. */
  @Test
  void takesTheMaskOfFeatures() {
    MultiDataSet batch = TestEncoder.batch(5);
    INDArray zeros = batch.getFeatures(2).mul(0);
    INDArray[] three = {batch.getFeatures(0), batch.getFeatures(1), zeros};
    try (ModelFiles files = TestEncoder.golden(0)) {
      EncoderVertex vertex = EncoderVertex.of(files, Pooling.FIRST, "3", 1, TestEncoder.SEED);
      ComputationGraph expected = TestEncoder.classifier(files, vertex);
      ComputationGraph net =
          new ComputationGraph(
              new NeuralNetConfiguration.Builder()
                  .seed(1)
                  .updater(new Adam(1e-3))
                  .graphBuilder()
                  .addInputs("ids")
                  .addVertex("encoder", vertex, "ids")
                  .addLayer(
                      "output",
                      new OutputLayer.Builder(LossFunction.MCXENT)
                          .nIn(vertex.hidden())
                          .nOut(TestEncoder.CLASSES)
                          .activation(Activation.SOFTMAX)
                          .build(),
                      "encoder")
                  .setOutputs("output")
                  .build());
      net.init();
      net.setParams(expected.params());
      DataSet single =
          new DataSet(batch.getFeatures(0), batch.getLabels(0), batch.getFeatures(1), null);
      for (int step = 0; step < 3; step++) {
        expected.fit(new MultiDataSet(three, batch.getLabels()));
        net.fit(single);
      }
      assertSameBits(expected.params(), net.params());
      INDArray[] ids = {batch.getFeatures(0)};
      INDArray[] masks = {batch.getFeatures(1)};
      assertSameBits(expected.outputSingle(three), net.output(false, ids, masks)[0]);
      String message =
          assertThrows(BadInputException.class, () -> net.outputSingle(ids)).getMessage();
      assertTrue(message.contains("without an attention mask"), message);
    }
  }

  @Test
  void summaryShowsTheParameters() {
    try (ModelFiles files = TestEncoder.golden(0)) {
      ComputationGraph net = network(files, "all", vertex -> vertex);
      String summary = net.summary();
      System.out.println(summary);
      assertEquals(net.params().length(), net.numParams());
      assertTrue(
          summary.contains(String.format("%,d", net.getVertex("encoder").numParams())), summary);
    }
  }

  @Test
  void refusesWhatCannotTrain() {
    try (ModelFiles files = TestEncoder.golden(0)) {
      EncoderVertex vertex = EncoderVertex.of(files, "all");
      assertRefused("No parameter is called nothing.*", () -> vertex.withTrainable("nothing.*"));
      assertRefused("last:1 to last:", () -> vertex.withTrainable("last:7"));
      assertRefused(
          "No linear layer that can be adapted is called gate",
          () -> vertex.withLora(LoraConfig.on("gate")));
      assertRefused(
          "leave withTrainable out",
          () -> vertex.withTrainable("head").withLora(LoraConfig.on("query")));
    }
  }

  private static void assertRefused(String part, Runnable action) {
    String message = assertThrows(BadInputException.class, action::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}
