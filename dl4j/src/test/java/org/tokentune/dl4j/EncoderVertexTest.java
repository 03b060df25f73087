package org.tokentune.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.areSame;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.deeplearning4j.datasets.iterator.IteratorMultiDataSetIterator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Encoder;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenSelection;
import org.tokentune.train.StepInputs;
import org.tokentune.train.TrainingEngine;

class EncoderVertexTest {

  private static final double TOLERANCE = 1e-5;

  @TempDir Path folder;

  /** A whole classifier's step on a plan, with the same selection; DL4J's loss layer on top. */
  @ParameterizedTest
  @CsvSource({
    "golden,FIRST,all",
    "golden,FIRST,4",
    "golden,MEAN,4",
    "random,FIRST,all",
    "random,FIRST,3"
  })
  void lossAndGradientsAreThePlans(String weights, Pooling pooling, String tokens) {
    MultiDataSet batch = TestEncoder.batch(11);
    try (ModelFiles files =
        weights.equals("golden") ? TestEncoder.golden(0) : TestEncoder.random()) {
      ComputationGraph net = TestEncoder.classifier(files, pooling, tokens);
      TrainingEngine.Result expected = plan(files, pooling, tokens, batch);
      net.setInputs(batch.getFeatures());
      net.setLabels(batch.getLabels());
      net.computeGradientAndScore();

      assertEquals(expected.loss(), net.score(), TOLERANCE * expected.loss());
      Map<String, INDArray> actual = net.gradient().gradientForVariable();
      assertEquals(expected.gradients().size(), actual.size());
      double largest =
          expected.gradients().values().stream()
              .mapToDouble(EncoderVertexTest::most)
              .max()
              .orElse(0);
      double worst = 0;
      for (Map.Entry<String, INDArray> entry : expected.gradients().entrySet()) {
        INDArray want = entry.getValue();
        // DL4J sums over the rows here, and divides when it updates.
        INDArray is =
            gradient(entry.getKey(), want.shape(), actual).div(batch.getLabels(0).size(0));
        double scale = Math.max(most(want), 1e-3 * largest);
        worst = Math.max(worst, most(want.sub(is)) / scale);
      }
      System.out.printf(
          "%s %s, %s tokens: loss %.6f, plan's %.6f; gradients differ by %.1e at most%n",
          weights, pooling, tokens, net.score(), expected.loss(), worst);
      assertTrue(worst < TOLERANCE, "gradients differ by " + worst);
    }
  }

  private static double most(INDArray array) {
    return array.amaxNumber().doubleValue();
  }

  private static INDArray gradient(String name, long[] shape, Map<String, INDArray> gradients) {
    return switch (name) {
      case "classifier.weight" -> gradients.get("output_W").transpose();
      case "classifier.bias" -> gradients.get("output_b").reshape(shape);
      default -> gradients.get("encoder_" + name.replace('_', '-'));
    };
  }

  private static TrainingEngine.Result plan(
      ModelFiles files, Pooling pooling, String tokens, MultiDataSet batch) {
    Encoder model =
        new Encoder(
            EncoderConfig.read(files.config(), files.name()),
            new Head(Objectives.CLASSIFY, TestEncoder.CLASSES, pooling));
    Parameters parameters = ParameterLoader.load(model, files.weights());
    int[] lengths = batch.getFeatures(1).sum(1).toIntVector();
    TokenSelection selection =
        RandomTokens.parse(tokens, 1, true)
            .select(lengths, (int) batch.getFeatures(0).size(1), null, TestEncoder.SEED, 0, 0);
    Map<String, INDArray> inputs = new HashMap<>(StepInputs.features(batch));
    inputs.put(ModelGraph.LABELS, batch.getLabels(0).argMax(1).castTo(DataType.INT32));
    if (!selection.all()) {
      inputs.put(ModelGraph.SELECTED, Nd4j.createFromArray(selection.selected()));
      inputs.put(ModelGraph.FROZEN, Nd4j.createFromArray(selection.frozen()));
    }
    ModelGraph graph =
        model.build(
            parameters,
            GraphOptions.training(!selection.all(), name -> true)
                .withKernelMode(KernelMode.preferred()));
    try (TrainingEngine engine =
        new TrainingEngine(graph, List.of(), ActivationCheckpointing.NOTHING)) {
      TrainingEngine.Result result = engine.run(inputs);
      Map<String, INDArray> copies = new HashMap<>();
      result.gradients().forEach((name, gradient) -> copies.put(name, gradient.dup()));
      return new TrainingEngine.Result(result.loss(), copies, Map.of());
    }
  }

  /** The first token's row does not depend on what is selected; nothing drops. */
  @Test
  void predictsAsTheWholeModel() {
    MultiDataSet batch = TestEncoder.batch(12);
    try (ModelFiles files = TestEncoder.golden(0.1)) {
      ComputationGraph net = TestEncoder.classifier(files, Pooling.FIRST, "2");
      Encoder model =
          new Encoder(
              EncoderConfig.read(files.config(), files.name()),
              new Head(Objectives.CLASSIFY, TestEncoder.CLASSES, Pooling.FIRST));
      INDArray logits =
          model
              .build(ParameterLoader.load(model, files.weights()), GraphOptions.inference())
              .sd()
              .output(StepInputs.features(batch), ModelGraph.LOGITS)
              .get(ModelGraph.LOGITS);
      INDArray expected = Nd4j.nn().softmax(logits, 1);
      INDArray actual = net.outputSingle(batch.getFeatures());
      assertTrue(most(expected.sub(actual)) < TOLERANCE, expected + " but " + actual);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"all", "25%"})
  void trains(String tokens) {
    try (ModelFiles files = TestEncoder.golden(0.1)) {
      ComputationGraph net =
          TestEncoder.classifier(
              files,
              Pooling.FIRST,
              tokens,
              new NeuralNetConfiguration.Builder().updater(new Adam(3e-3)));
      List<MultiDataSet> batches = IntStream.range(0, 8).mapToObj(TestEncoder::batch).toList();
      double before = loss(net, batches);
      for (int epoch = 0; epoch < 5; epoch++) {
        net.fit(
            new IteratorMultiDataSetIterator(
                batches.stream()
                    .map(org.nd4j.linalg.dataset.api.MultiDataSet.class::cast)
                    .iterator(),
                4));
      }
      double after = loss(net, batches);
      System.out.printf("%s tokens: loss %.3f, then %.3f%n", tokens, before, after);
      assertTrue(after < before / 2, before + " then " + after);
    }
  }

  private static double loss(ComputationGraph net, List<MultiDataSet> batches) {
    return batches.stream().mapToDouble(net::score).average().orElseThrow();
  }

  @Test
  void gradientsAreClipped() {
    double most = 1e-3;
    try (ModelFiles files = TestEncoder.golden(0)) {
      ComputationGraph net =
          TestEncoder.classifier(
              files,
              Pooling.FIRST,
              "3",
              new NeuralNetConfiguration.Builder()
                  .updater(new Sgd(1))
                  .gradientNormalization(GradientNormalization.ClipL2PerLayer)
                  .gradientNormalizationThreshold(most));
      INDArray before = net.getVertex("encoder").params().dup();
      net.fit(TestEncoder.batch(1));
      INDArray step = net.getVertex("encoder").params().sub(before);
      assertEquals(most, step.norm2Number().doubleValue(), 1e-2 * most);
    }
  }

  /** The loaded one goes on as the saved one does. */
  @Test
  void isSavedAndLoaded() throws IOException {
    File file = folder.resolve("net.zip").toFile();
    try (ModelFiles files = TestEncoder.golden(0.1)) {
      ComputationGraph net = TestEncoder.classifier(files, Pooling.FIRST, "3");
      net.fit(TestEncoder.batch(1));
      INDArray before = net.params().dup();
      ModelSerializer.writeModel(net, file, true);
      ComputationGraph loaded = ModelSerializer.restoreComputationGraph(file, true);
      assertEquals(net.getConfiguration(), loaded.getConfiguration());
      INDArray[] features = TestEncoder.batch(2).getFeatures();
      assertSameBits(net.outputSingle(features), loaded.outputSingle(features));

      net.fit(TestEncoder.batch(3));
      loaded.fit(TestEncoder.batch(3));
      assertFalse(areSame(before, net.params()));
      assertArrayEquals(net.params().toFloatVector(), loaded.params().toFloatVector());
      ComputationGraph clone = net.clone();
      assertSameBits(net.outputSingle(features), clone.outputSingle(features));
      clone.fit(TestEncoder.batch(4));
    }
  }

  @Test
  void aConfigurationAloneHasNoWeights() {
    try (ModelFiles files = TestEncoder.golden(0)) {
      String json = TestEncoder.classifier(files, Pooling.FIRST, "3").getConfiguration().toJson();
      ComputationGraph net = new ComputationGraph(ComputationGraphConfiguration.fromJson(json));
      assertRefused("no weights to begin with", net::init);
    }
  }

  @Test
  void refusesWhatTheModelCannotTake() {
    try (ModelFiles files = TestEncoder.golden(0)) {
      ComputationGraph net = TestEncoder.classifier(files, Pooling.FIRST, "3");
      INDArray ids = Nd4j.createFromArray(new int[][] {{5, 6, 7}});
      INDArray ones = Nd4j.createFromArray(new float[][] {{1, 1, 1}});
      INDArray zeros = ones.mul(0);
      assertRefused("whole", () -> net.output(ids.castTo(DataType.FLOAT).add(0.5), ones, zeros));
      assertRefused("Token id 96", () -> net.output(ids.add(89), ones, zeros));
      assertRefused("Token type 2", () -> net.output(ids, ones, ones.mul(2)));
      assertRefused("[1, 2]", () -> net.output(ids, Nd4j.ones(1, 2), zeros));
      assertRefused("at most 40", () -> net.output(Nd4j.ones(1, 41), Nd4j.ones(1, 41), ones));
      assertRefused(
          "pad texts on the right",
          () -> net.output(ids, Nd4j.createFromArray(new float[][] {{0, 1, 1}}), zeros));
      assertRefused(
          "second input", () -> net.output(false, new INDArray[] {ids, ones, zeros}, masks(ones)));
      assertRefused(
          "DOUBLE",
          () ->
              TestEncoder.classifier(
                  files,
                  Pooling.FIRST,
                  "3",
                  new NeuralNetConfiguration.Builder().dataType(DataType.DOUBLE)));
      assertRefused("is not a valid selection", () -> EncoderVertex.of(files, "none"));
      assertRefused(
          "does not pool the last token",
          () -> EncoderVertex.of(files, Pooling.LAST, "all", 8, TestEncoder.SEED));
    }
  }

  private static INDArray[] masks(INDArray mask) {
    return new INDArray[] {mask, mask, mask};
  }

  private static void assertRefused(String part, Runnable action) {
    String message = assertThrows(BadInputException.class, action::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}
