package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.areSame;
import static org.tokentune.testing.SameBits.assertSameBits;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.SafeTensorsWriter;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.Graph;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.SameDiffEngine;

/** Properties of the two token streams that hold for any weights. */
class BertTest {

  private static final Path FOLDER = Path.of("src/test/resources/golden/bert");

  @TempDir private Path folder;

  private EncoderConfig config;
  private Parameters parameters;

  @BeforeEach
  void load() throws IOException {
    Path file = FOLDER.resolve("config.json");
    config = EncoderConfig.read(new ObjectMapper().readTree(file.toFile()), file.toString());
    Map<String, INDArray> weights = new LinkedHashMap<>();
    try (SafeTensors source = SafeTensors.open(FOLDER.resolve("model.safetensors"))) {
      source.names().forEach(name -> weights.put(name, source.read(name)));
    }
    parameters = new Parameters(weights);
  }

  /** As the first checkpoints of BERT on the hub have them. */
  @Test
  void oldNamesOfNormsAreRead() throws IOException {
    Encoder bert = bert(0, Pooling.FIRST);
    Map<String, INDArray> old = new LinkedHashMap<>();
    parameters
        .asMap()
        .forEach(
            (name, array) ->
                old.put(
                    name.replace("LayerNorm.weight", "LayerNorm.gamma")
                        .replace("LayerNorm.bias", "LayerNorm.beta"),
                    array));
    Path file = folder.resolve("old.safetensors");
    SafeTensorsWriter.write(file, old);
    try (SafeTensors source = SafeTensors.open(file)) {
      Parameters read = ParameterLoader.load(bert, source);
      for (String name : bert.parameters().keySet()) {
        assertSameBits(parameters.get(name), read.get(name), name);
      }
    }
  }

  private Encoder bert(double dropout, Pooling pooling) {
    return new Encoder(config.withDropout(dropout), new Head(Objectives.CLASSIFY, 3, pooling));
  }

  /** Two texts of 5 and 3 tokens, padded to {@code length}, in either order. */
  private static Map<String, INDArray> texts(int length, boolean swapped) {
    int[][] ids = new int[2][length];
    int[][] mask = new int[2][length];
    int first = swapped ? 1 : 0;
    for (int i = 0; i < 5; i++) {
      ids[first][i] = 10 + 7 * i;
      mask[first][i] = 1;
    }
    for (int i = 0; i < 3; i++) {
      ids[1 - first][i] = 80 - 5 * i;
      mask[1 - first][i] = 1;
    }
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put("input_ids", Nd4j.createFromArray(ids));
    inputs.put("attention_mask", Nd4j.createFromArray(mask));
    inputs.put("token_type_ids", Nd4j.zeros(DataType.INT32, 2, length));
    inputs.put("labels", Nd4j.createFromArray(swapped ? new int[] {0, 2} : new int[] {2, 0}));
    return inputs;
  }

  private static Map<String, INDArray> with(Map<String, INDArray> inputs, Object... more) {
    Map<String, INDArray> all = new HashMap<>(inputs);
    for (int i = 0; i < more.length; i += 2) {
      all.put((String) more[i], (INDArray) more[i + 1]);
    }
    return all;
  }

  private static SameDiffEngine.Result run(ModelGraph graph, Map<String, INDArray> inputs) {
    return new SameDiffEngine(graph).run(inputs, List.of("logits"));
  }

  private ModelGraph training(Encoder bert, boolean split) {
    return bert.build(parameters, GraphOptions.training(split, name -> true));
  }

  @Test
  void dropoutDoesNotDependOnTheSelection() {
    Map<String, INDArray> inputs = with(texts(6, false), "dropout_seed", Nd4j.scalar(3));
    Encoder bert = bert(0.2, Pooling.FIRST);
    double all = run(training(bert, false), inputs).loss();
    Map<String, INDArray> halves =
        with(
            inputs,
            "selected",
            Nd4j.createFromArray(new int[][] {{0, 2, 3}, {0, 1, 3}}),
            "frozen",
            Nd4j.createFromArray(new int[][] {{1, 4, 5}, {2, 4, 5}}));
    double split = run(training(bert, true), halves).loss();
    double next = run(training(bert, true), with(halves, "dropout_seed", Nd4j.scalar(4))).loss();
    System.out.printf("dropout 0.2: loss %.6f, split %.6f, next step %.6f%n", all, split, next);
    assertEquals(all, split, 1e-6);
    assertTrue(Math.abs(next - split) > 1e-3);
  }

  @Test
  void paddingAndOrderChangeNothing() {
    for (Pooling pooling : List.of(Pooling.FIRST, Pooling.MEAN)) {
      Encoder bert = bert(0, pooling);
      SameDiffEngine.Result plain = run(training(bert, false), texts(5, false));
      double padded = difference(plain, run(training(bert, false), texts(9, false)));
      double swapped = difference(plain, run(training(bert, false), texts(6, true)));
      System.out.printf(
          "pooling %s: gradients differ by %.1e padded, %.1e in another order%n",
          pooling, padded, swapped);
      assertTrue(padded < 1e-6 && swapped < 1e-6);
    }
  }

  @Test
  void selectingEveryTokenIsOrdinaryFineTuning() {
    Encoder bert = bert(0, Pooling.FIRST);
    SameDiffEngine.Result plain = run(training(bert, false), texts(6, false));
    Map<String, INDArray> valid = // all tokens of the first text, padding fills the second
        with(
            texts(6, false),
            "selected",
            Nd4j.createFromArray(new int[][] {{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}}),
            "frozen",
            Nd4j.createFromArray(new int[][] {{5}, {5}}));
    double error = difference(plain, run(training(bert, true), valid));
    System.out.printf("k = every valid token: gradients differ by %.1e%n", error);
    assertTrue(error < 1e-6);
  }

  private static double difference(SameDiffEngine.Result a, SameDiffEngine.Result b) {
    assertEquals(a.gradients().keySet(), b.gradients().keySet());
    double worst = Math.abs(a.loss() - b.loss());
    for (String name : a.gradients().keySet()) {
      INDArray gap = a.gradients().get(name).sub(b.gradients().get(name));
      worst = Math.max(worst, gap.amaxNumber().doubleValue());
    }
    return worst;
  }

  @Test
  void allGraphsSeeAnUpdate() {
    Encoder bert = bert(0, Pooling.FIRST);
    Map<String, INDArray> inputs = texts(6, false);
    Map<String, INDArray> features = with(inputs);
    features.remove("labels");
    ModelGraph inference = bert.build(parameters, GraphOptions.inference());
    SameDiffEngine training = new SameDiffEngine(training(bert, false));
    INDArray before = inference.sd().outputSingle(features, "logits").dup();
    parameters.get("classifier.bias").addi(1);
    parameters.get("bert.encoder.layer.1.output.dense.weight").muli(1.1);
    INDArray after = inference.sd().outputSingle(features, "logits").dup();
    INDArray trained = training.run(inputs, List.of("logits")).outputs().get("logits");
    assertFalse(areSame(before, after));
    assertTrue(after.equalsWithEps(trained, 1e-5), after + " " + trained);
  }

  @Test
  void untrainedParametersHaveNoGradient() {
    Encoder bert = bert(0, Pooling.FIRST);
    ModelGraph graph = bert.build(parameters, GraphOptions.training(false, bert::isHead));
    assertEquals(
        List.of(
            "bert.pooler.dense.bias",
            "bert.pooler.dense.weight",
            "classifier.bias",
            "classifier.weight"),
        run(graph, texts(6, false)).gradients().keySet().stream().sorted().toList());
  }

  @Test
  void stockFitTrainsTheTwoStreams() {
    ModelGraph graph = training(bert(0.1, Pooling.FIRST), true);
    SameDiff sd = graph.sd();
    sd.setTrainingConfig(
        TrainingConfig.builder()
            .updater(new Adam(1e-2))
            .dataSetFeatureMapping(
                "input_ids",
                "attention_mask",
                "token_type_ids",
                "selected",
                "frozen",
                Graph.DROPOUT_SEED)
            .dataSetLabelMapping("labels")
            .build());
    Map<String, INDArray> inputs =
        with(
            texts(6, false),
            "selected",
            Nd4j.createFromArray(new int[][] {{0, 2, 3}, {0, 1, 3}}),
            "frozen",
            Nd4j.createFromArray(new int[][] {{1, 4, 5}, {2, 4, 5}}));
    double[] losses = new double[21];
    for (int step = 0; step < losses.length; step++) {
      INDArray seed = Nd4j.scalar(step);
      losses[step] = sd.outputSingle(with(inputs, "dropout_seed", seed), "loss").getDouble(0);
      INDArray[] features = {
        inputs.get("input_ids"),
        inputs.get("attention_mask"),
        inputs.get("token_type_ids"),
        inputs.get("selected"),
        inputs.get("frozen"),
        seed
      };
      sd.fit(new MultiDataSet(features, new INDArray[] {inputs.get("labels")}));
    }
    System.out.printf(
        "stock SameDiff.fit: loss %.3f, after 20 steps %.3f%n", losses[0], losses[20]);
    assertTrue(losses[20] < losses[0] / 4);
  }
}
