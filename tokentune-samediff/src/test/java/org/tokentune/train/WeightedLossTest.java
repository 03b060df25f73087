package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.RandomWeights;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.LossSettings;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.RandomTokens;

/** Class weights and label smoothing in a model's graph, and in steps over several batches. */
class WeightedLossTest {

  private static final int LENGTH = 4;
  private static final int CLASSES = 3;
  private static final List<Double> WEIGHTS = List.of(0.5, 4.0, 1.5);
  private static final LossSettings WEIGHTED = LossSettings.plain().withClassWeights(WEIGHTS);

  private static final String JSON =
      """
      {"model_type": "bert", "vocab_size": 30, "hidden_size": 8, "intermediate_size": 12,
       "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 8,
       "type_vocab_size": 2, "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0}""";

  private static Objective task(String name) {
    return Objectives.TASKS.stream()
        .filter(task -> task.shortName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static TransformerModel model(Objective task) throws IOException {
    ModelConfig sizes = ModelConfig.read(new ObjectMapper().readTree(JSON), "test");
    return sizes.model(new Head(task, CLASSES, Pooling.FIRST));
  }

  private static Parameters weights(TransformerModel model) {
    return RandomWeights.of(model, 5, 0.3f);
  }

  /** Rows of random tokens; every label occurs. */
  private static MultiDataSet batch(Objective task, int from, int to) {
    Random random = new Random(1);
    List<int[]> ids = new ArrayList<>();
    List<float[]> labels = new ArrayList<>();
    for (int row = 0; row < to; row++) {
      int[] tokens = random.ints(LENGTH, 1, 30).toArray();
      int label = random.nextInt(CLASSES);
      if (row >= from) {
        ids.add(tokens);
        labels.add(labels(task, label));
      }
    }
    int[][] ones = new int[ids.size()][LENGTH];
    Arrays.stream(ones).forEach(row -> Arrays.fill(row, 1));
    return new MultiDataSet(
        new INDArray[] {
          Nd4j.createFromArray(ids.toArray(int[][]::new)),
          Nd4j.createFromArray(ones),
          Nd4j.createFromArray(new int[ids.size()][LENGTH])
        },
        new INDArray[] {task.labels(labels, LENGTH)});
  }

  private static float[] labels(Objective task, int label) {
    if (task == Objectives.CLASSIFY) {
      return new float[] {label};
    }
    return task == Objectives.TOKEN
        ? new float[] {-100, label, (label + 1) % CLASSES, -100}
        : new float[] {label == 0 ? 1 : 0, label == 1 ? 1 : 0, label > 0 ? 1 : 0};
  }

  private static Hyperparameters sgd(int accumulation, LossSettings loss) {
    return Hyperparameters.defaults()
        .withAccumulation(accumulation)
        .withOptimizer(OptimizerSettings.adamW(0).withKind(OptimizerSettings.Kind.SGD))
        .withLoss(loss);
  }

  /** The formula of PyTorch's CrossEntropyLoss or BCEWithLogitsLoss on a model's logits. */
  @ParameterizedTest(name = "{0}, label smoothing {1}, {2}")
  @CsvSource({
    "classify, 0, FUSED",
    "classify, 0.1, FUSED",
    "classify, 0.1, NATIVE",
    "token, 0.1, FUSED",
    "token, 0, NATIVE",
    "multilabel, 0, FUSED",
    "multilabel, 0, NATIVE"
  })
  void lossesAreThoseOfPyTorch(String name, double smoothing, KernelMode kernelMode)
      throws IOException {
    Objective task = task(name);
    TransformerModel model = model(task);
    MultiDataSet batch = batch(task, 0, 7);
    GraphOptions options =
        GraphOptions.training(false, key -> true)
            .withKernelMode(kernelMode)
            .withLoss(WEIGHTED.withLabelSmoothing(smoothing));
    try (TrainingEngine engine =
        new TrainingEngine(
            model.build(weights(model), options),
            List.of(ModelGraph.LOGITS),
            ActivationCheckpointing.ELEMENTWISE)) {
      TrainingEngine.Result result = engine.run(StepInputs.labelled(model.head(), batch));
      double[][] logits = result.outputs().get(ModelGraph.LOGITS).toDoubleMatrix();
      double expected =
          task == Objectives.MULTILABEL
              ? binary(logits, batch.getLabels(0).toDoubleMatrix())
              : softmax(logits, batch.getLabels(0).reshape(-1).toIntVector(), smoothing);
      System.out.printf("%s: %.7f, by the formula %.7f%n", name, result.loss(), expected);
      assertEquals(expected, result.loss(), 1e-6);
    }
  }

  private static double softmax(double[][] logits, int[] labels, double smoothing) {
    double sum = 0;
    double total = 0;
    for (int row = 0; row < labels.length; row++) {
      if (labels[row] >= 0) {
        double all = Math.log(Arrays.stream(logits[row]).map(Math::exp).sum());
        for (int c = 0; c < CLASSES; c++) {
          double share = smoothing / CLASSES + (c == labels[row] ? 1 - smoothing : 0);
          sum += share * WEIGHTS.get(c) * (all - logits[row][c]);
        }
        total += WEIGHTS.get(labels[row]);
      }
    }
    return sum / total;
  }

  private static double binary(double[][] logits, double[][] labels) {
    return IntStream.range(0, labels.length * CLASSES)
        .mapToDouble(
            i -> {
              double x = logits[i / CLASSES][i % CLASSES];
              double y = labels[i / CLASSES][i % CLASSES];
              return WEIGHTS.get(i % CLASSES) * y * Math.log1p(Math.exp(-x))
                  + (1 - y) * Math.log1p(Math.exp(x));
            })
        .average()
        .orElseThrow();
  }

  /** A batch counts by the sum of its weights, so that several are as one. */
  @ParameterizedTest(name = "{0}, label smoothing {1}, focal {2}")
  @CsvSource({
    "classify, 0, 0",
    "classify, 0.1, 0",
    "classify, 0, 2",
    "token, 0.1, 0",
    "token, 0, 2",
    "multilabel, 0, 0",
    "multilabel, 0, 2"
  })
  void severalBatchesAreAsOne(String name, double smoothing, double gamma) throws IOException {
    Objective task = task(name);
    LossSettings loss = WEIGHTED.withLabelSmoothing(smoothing).withFocalGamma(gamma);
    TransformerModel model = model(task);
    Parameters once = weights(model);
    Parameters added = weights(model);
    TrainingStep.Result whole = step(model, once, sgd(1, loss), batch(task, 0, 7));
    TrainingStep.Result parts =
        step(model, added, sgd(3, loss), batch(task, 0, 2), batch(task, 2, 3), batch(task, 3, 7));
    double worst = 0;
    for (Map.Entry<String, INDArray> entry : once.asMap().entrySet()) {
      INDArray difference = added.get(entry.getKey()).sub(entry.getValue());
      worst = Math.max(worst, difference.amaxNumber().doubleValue());
    }
    System.out.printf(
        "%s: loss %.7f of weight %.1f in one batch, %.7f of %.1f in three; weights differ by %.1e%n",
        name, whole.loss(), whole.weight(), parts.loss(), parts.weight(), worst);
    assertEquals(whole.loss(), parts.loss(), 1e-6);
    assertEquals(whole.weight(), parts.weight(), 1e-12);
    assertTrue(worst < 1e-6, "weights differ by " + worst);
  }

  private static TrainingStep.Result step(
      TransformerModel model, Parameters weights, Hyperparameters settings, MultiDataSet... data) {
    try (LocalStep steps =
        new LocalStep(model, weights, key -> true, RandomTokens.parse("all", 1, true), settings)) {
      return steps.run(List.of(data), new TrainingStep.Position(0, 0, 0, 1), 0.5);
    }
  }

  @Test
  void rejectsLossesThatTheTaskDoesNotHave() throws IOException {
    LossSettings smoothed = LossSettings.plain().withLabelSmoothing(0.1);
    rejects(Objectives.MULTILABEL, smoothed, "labelSmoothing");
    rejects(Objectives.REGRESS, WEIGHTED, "classWeights");
    LossSettings focal = LossSettings.plain().withFocalGamma(2);
    rejects(Objectives.REGRESS, focal, "focalGamma");
    assertThrows(BadInputException.class, () -> focal.withLabelSmoothing(0.1));
    assertThrows(BadInputException.class, () -> focal.withFocalGamma(-1));
    rejects(Objectives.CLASSIFY, WEIGHTED.withClassWeights(List.of(1.0, 2.0)), "3 classes, got 2");
    for (double weight : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(
          BadInputException.class, () -> WEIGHTED.withClassWeights(List.of(weight, 1.0, 1.0)));
    }
    assertThrows(BadInputException.class, () -> WEIGHTED.withClassWeights(List.of(0.0, 0.0)));
    assertThrows(BadInputException.class, () -> WEIGHTED.withLabelSmoothing(1));
  }

  private static void rejects(Objective task, LossSettings loss, String message)
      throws IOException {
    TransformerModel model = model(task);
    String text =
        assertThrows(
                BadInputException.class,
                () -> step(model, weights(model), sgd(1, loss), batch(Objectives.CLASSIFY, 0, 2)))
            .getMessage();
    System.out.println(text);
    assertTrue(text.contains(message), text);
  }
}
