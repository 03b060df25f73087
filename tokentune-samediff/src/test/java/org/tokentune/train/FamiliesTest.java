package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.GoldenModel.error;
import static org.tokentune.GoldenModel.largest;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.GoldenModel;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.Graph;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.Losses;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.AllTokens;
import org.tokentune.select.TokenSelector;

/** What holds for the steps of every family of models, whatever its weights. */
class FamiliesTest {

  private static final int BATCH = 3;
  private static final int LENGTH = 13;

  private static List<String> families() {
    return GoldenModel.families();
  }

  /** The bytes of the arena after a step are those that planning without weights predicts. */
  @ParameterizedTest
  @MethodSource("families")
  void plannedMemoryIsUsed(String family) {
    GoldenModel golden = GoldenModel.of(family);
    TransformerModel model = golden.model();
    TokenSelector selector = GoldenModel.selector("40%", golden);
    Map<String, INDArray> inputs = golden.batch(selector);
    int k = (int) inputs.get(ModelGraph.SELECTED).size(1);
    ParameterOptimizer optimizer =
        new ParameterOptimizer(AdamW.USUAL, Parameters.shapeOnly(model.parameters()), 0);
    for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
      MemorySettings settings = MemorySettings.of(checkpointing);
      long planned =
          new StepMemoryPlanner(
                  model, name -> true, WeightStorage.FLOAT32, settings, optimizer, false)
              .plan(BATCH, LENGTH, k)
              .step()
              .arena();
      ModelGraph graph =
          model.build(
              golden.parameters(),
              GoldenModel.options(inputs, name -> true).withKernelMode(KernelMode.preferred()));
      try (TrainingEngine engine = new TrainingEngine(graph, List.of(), settings, null)) {
        engine.run(inputs);
        System.out.printf(
            "%s, %d of %d tokens, %s recomputed: %,d bytes planned, %,d used%n",
            family, k, LENGTH, checkpointing, planned, engine.arenaBytes());
        assertEquals(planned, engine.arenaBytes());
      }
    }
  }

  /** A text whose tokens are all selected trains as without streams, with the same dropout. */
  @ParameterizedTest
  @MethodSource("families")
  void selectingEveryTokenIsOrdinaryFineTuning(String family) {
    GoldenModel without = GoldenModel.of(family);
    TransformerModel model =
        without.model().config().withDropout(0.2).model(without.model().head());
    GoldenModel golden = new GoldenModel(model, without.parameters());
    Map<String, INDArray> text = new HashMap<>();
    golden
        .batch(new AllTokens())
        .forEach((name, rows) -> text.put(name, rows.get(NDArrayIndex.interval(1, 2)).dup()));
    int tokens = text.get(ModelGraph.ATTENTION_MASK).sumNumber().intValue();
    if (model.config().causal()) {
      text.get(ModelGraph.LABELS)
          .get(NDArrayIndex.all(), NDArrayIndex.interval(tokens, LENGTH))
          .assign(Losses.IGNORED);
    }
    text.put(Graph.DROPOUT_SEED, Nd4j.scalar(3));
    TrainingEngine.Result plain = step(golden, text);
    text.put(Graph.DROPOUT_SEED, Nd4j.scalar(4));
    TrainingEngine.Result next = step(golden, text);
    text.put(Graph.DROPOUT_SEED, Nd4j.scalar(3));
    text.put(ModelGraph.SELECTED, positions(0, tokens));
    text.put(ModelGraph.FROZEN, positions(tokens, LENGTH));
    double worst = difference(plain, step(golden, text));
    System.out.printf(
        "%s, dropout 0.2: gradients differ by %.1e with all %d tokens selected, by %.1e in the next"
            + " step%n",
        family, worst, tokens, difference(plain, next));
    assertTrue(worst < 1e-5, "differs by " + worst);
    assertTrue(difference(plain, next) > 1e-2);
  }

  /** INT32 [1, to - from]. */
  private static INDArray positions(int from, int to) {
    return Nd4j.createFromArray(new int[][] {IntStream.range(from, to).toArray()});
  }

  private static TrainingEngine.Result step(GoldenModel golden, Map<String, INDArray> inputs) {
    return GoldenModel.step(
        golden.model(), golden.parameters(), name -> true, inputs, KernelMode.preferred());
  }

  private static double difference(TrainingEngine.Result expected, TrainingEngine.Result actual) {
    assertEquals(expected.gradients().keySet(), actual.gradients().keySet());
    double floor = 1e-4 * largest(expected.gradients());
    double worst = error(Nd4j.scalar(expected.loss()), Nd4j.scalar(actual.loss()), floor);
    for (String name : expected.gradients().keySet()) {
      worst =
          Math.max(
              worst, error(expected.gradients().get(name), actual.gradients().get(name), floor));
    }
    return worst;
  }
}
