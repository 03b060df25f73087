package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.SmallBert;
import org.tokentune.models.Encoder;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Pooling;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.plan.BudgetException;
import org.tokentune.plan.internal.Plan;
import org.tokentune.select.AllTokens;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenSelector;

/** Training on plans takes the way that training on stock SameDiff takes. */
class TrainingEngineTest {

  @ParameterizedTest(name = "{0} steps, {1} tokens, dropout {2}, {3}, updates at once: {4}")
  @CsvSource({
    "100, all, 0.1, FUSED, true, ELEMENTWISE",
    "100, 40%, 0.1, FUSED, true, ATTENTION",
    "25, 40%, 0.0, NATIVE, true, BLOCKS",
    "25, all, 0.1, NATIVE, false, ELEMENTWISE"
  })
  void lossesAreStockSameDiffs(
      int steps,
      String tokens,
      double dropout,
      KernelMode kernelMode,
      boolean optimizerInBackward,
      ActivationCheckpointing checkpointing) {
    TokenSelector selector = RandomTokens.parse(tokens, 1, true);
    Encoder bert = SmallBert.bert(dropout, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    GraphOptions options = GraphOptions.training(!tokens.equals("all"), name -> true);
    Parameters ours = SmallBert.parameters(SmallBert.FOLDER);
    Parameters stocks = SmallBert.parameters(SmallBert.FOLDER);
    ParameterOptimizer optimizer = new ParameterOptimizer(AdamW.USUAL, ours, 0.01);
    ParameterOptimizer stockOptimizer = new ParameterOptimizer(AdamW.USUAL, stocks, 0.01);
    ModelGraph graph = bert.build(ours, options.withKernelMode(kernelMode));
    SameDiffEngine stock = new SameDiffEngine(bert.build(stocks, options));
    double worst = 0;
    double first = 0;
    double last = 0;
    try (TrainingEngine engine =
        optimizerInBackward
            ? new TrainingEngine(graph, checkpointing, optimizer)
            : new TrainingEngine(graph, List.of(), checkpointing)) {
      for (int step = 0; step < steps; step++) {
        Map<String, INDArray> inputs = SmallBert.batch(step, selector, dropout > 0);
        double rate = 1e-3 * Math.min(1, (step + 1) / 10.0);
        if (optimizerInBackward) {
          optimizer.begin(rate);
        }
        TrainingEngine.Result result = engine.run(inputs);
        if (!optimizerInBackward) {
          optimizer.step(result.gradients(), rate);
        }
        SameDiffEngine.Result expected = stock.run(inputs, List.of());
        stockOptimizer.step(expected.gradients(), rate);
        worst = Math.max(worst, Math.abs(result.loss() - expected.loss()));
        first = step == 0 ? expected.loss() : first;
        last += step >= steps - 10 ? expected.loss() / 10 : 0;
      }
    }
    System.out.printf(
        "%d steps, %s tokens, dropout %s, %s, %s: loss %.3f to %.3f, largest difference from stock"
            + " SameDiff %.1e%n",
        steps, tokens, dropout, kernelMode, checkpointing, first, last, worst);
    assertTrue(worst < 1e-4, "differs by " + worst);
    assertTrue(steps < 100 || last < first / 2, "learned nothing");
  }

  /** The table of words gets one update, from the sum of its gradients as input and as output. */
  @Test
  void tiedWeightsAreUpdatedOnce() throws IOException {
    Path folder = Path.of("src/test/resources/golden/bert-mlm");
    Parameters together = SmallBert.parameters(folder);
    Parameters apart = SmallBert.parameters(folder);
    Path file = folder.resolve("config.json");
    EncoderConfig config =
        EncoderConfig.read(new ObjectMapper().readTree(file.toFile()), file.toString());
    Encoder bert =
        new Encoder(
            config.withDropout(0),
            new Head(Objectives.MASKED_LM, config.vocabulary(), Pooling.FIRST));
    GraphOptions options =
        GraphOptions.training(false, name -> true).withKernelMode(KernelMode.FUSED);
    Map<String, INDArray> inputs = new HashMap<>(SmallBert.batch(3, new AllTokens(), false));
    inputs.put(ModelGraph.LABELS, inputs.get(ModelGraph.INPUT_IDS));
    ParameterOptimizer optimizer = new ParameterOptimizer(AdamW.USUAL, together, 0.01);
    ParameterOptimizer other = new ParameterOptimizer(AdamW.USUAL, apart, 0.01);
    try (TrainingEngine optimizerInBackward =
            new TrainingEngine(
                bert.build(together, options), ActivationCheckpointing.ELEMENTWISE, optimizer);
        TrainingEngine held =
            new TrainingEngine(
                bert.build(apart, options), List.of(), ActivationCheckpointing.ELEMENTWISE)) {
      for (int step = 0; step < 5; step++) {
        optimizer.begin(1e-3);
        double loss = optimizerInBackward.run(inputs).loss();
        TrainingEngine.Result result = held.run(inputs);
        assertEquals(result.loss(), loss);
        other.step(result.gradients(), 1e-3);
      }
    }
    for (String name : together.names()) {
      assertSameBits(apart.get(name), together.get(name), name);
    }
    System.out.println(
        "tied weights, 5 steps of AdamW: the same bits updated at once or at the end");
  }

  /** Less memory, more recomputation, the same bits. */
  @Test
  void budgetsAreKept() {
    Parameters parameters = SmallBert.parameters(SmallBert.FOLDER);
    Encoder bert = SmallBert.bert(0.1, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    GraphOptions options =
        GraphOptions.training(true, name -> true).withKernelMode(KernelMode.FUSED);
    Map<String, INDArray> inputs = SmallBert.batch(1, RandomTokens.parse("40%", 1, true), true);
    Map<String, INDArray> expected = new HashMap<>();
    long most;
    try (TrainingEngine engine =
        new TrainingEngine(
            bert.build(parameters, options), List.of(), ActivationCheckpointing.NOTHING)) {
      engine.run(inputs).gradients().forEach((name, array) -> expected.put(name, array.dup()));
      most = engine.plan(inputs).bytes();
    }
    long least = 0;
    int before = 0;
    for (int percent = 100; least == 0; percent -= 5) {
      long budget = most * percent / 100;
      try (TrainingEngine engine =
          new TrainingEngine(
              bert.build(parameters, options),
              List.of(),
              new MemorySettings(
                  ActivationCheckpointing.ELEMENTWISE, ActivationPrecision.FLOAT32, budget),
              null)) {
        Plan plan = engine.plan(inputs);
        System.out.printf(
            "budget %,d bytes: %,d taken, %d ops%n", budget, plan.bytes(), plan.ops());
        assertTrue(plan.bytes() <= budget);
        assertTrue(plan.ops() >= before, "less memory, but fewer ops");
        before = plan.ops();
        engine
            .run(inputs)
            .gradients()
            .forEach((name, gradient) -> assertSameBits(expected.get(name), gradient, name));
      } catch (BudgetException e) {
        System.out.printf("budget %,d bytes: %s%n", budget, e.getMessage());
        least = e.least();
        assertTrue(least > budget);
      }
    }
    assertTrue(least < most * 0.9);
  }

  @Test
  void askingForHiddenStatesChangesNoBitOfAGradient() {
    Parameters parameters = SmallBert.parameters(SmallBert.FOLDER);
    Encoder bert = SmallBert.bert(0.1, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    Map<String, INDArray> inputs = SmallBert.batch(1, RandomTokens.parse("40%", 1, true), true);
    List<String> hidden =
        List.of(ModelGraph.hidden(0), ModelGraph.hidden(1), ModelGraph.frozenHidden(1));
    for (KernelMode kernelMode : KernelMode.values()) {
      GraphOptions options = GraphOptions.training(true, name -> true).withKernelMode(kernelMode);
      for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
        try (TrainingEngine plain =
                new TrainingEngine(bert.build(parameters, options), List.of(), checkpointing);
            TrainingEngine asking =
                new TrainingEngine(bert.build(parameters, options), hidden, checkpointing)) {
          Map<String, INDArray> expected = plain.run(inputs).gradients();
          TrainingEngine.Result result = asking.run(inputs);
          expected.forEach(
              (name, gradient) -> assertSameBits(gradient, result.gradients().get(name), name));
          assertEquals(hidden.size() + 1, result.outputs().size());
        }
      }
    }
    System.out.println("hidden states asked for: the same gradients, bit for bit");
  }

  /** In turns, as a training does whose short texts select every token. */
  @Test
  void enginesThatShareAnArenaComputeWhatTheyDoAlone() {
    Parameters parameters = SmallBert.parameters(SmallBert.FOLDER);
    Encoder bert = SmallBert.bert(0.1, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    GraphOptions split = GraphOptions.training(true, name -> true).withKernelMode(KernelMode.FUSED);
    GraphOptions whole =
        GraphOptions.training(false, name -> true).withKernelMode(KernelMode.FUSED);
    try (TrainingEngine alone = engine(bert.build(parameters, split));
        TrainingEngine other = engine(bert.build(parameters, whole));
        TrainingEngine first = engine(bert.build(parameters, split));
        TrainingEngine second = engine(bert.build(parameters, whole))) {
      second.shareArena(first);
      for (int step = 0; step < 12; step++) {
        Map<String, INDArray> some =
            SmallBert.batch(step, RandomTokens.parse("40%", 1, true), true);
        Map<String, INDArray> all = SmallBert.batch(step, new AllTokens(), true);
        assertSameBits(alone.run(some).gradients(), first.run(some).gradients());
        assertSameBits(other.run(all).gradients(), second.run(all).gradients());
      }
      assertEquals(first.arenaBytes(), second.arenaBytes());
      assertTrue(first.arenaBytes() < alone.arenaBytes() + other.arenaBytes());
      System.out.printf(
          "two engines, one arena of %,d bytes; alone %,d and %,d%n",
          first.arenaBytes(), alone.arenaBytes(), other.arenaBytes());
    }
  }

  private static TrainingEngine engine(ModelGraph graph) {
    return new TrainingEngine(graph, List.of(), ActivationCheckpointing.ELEMENTWISE);
  }
}
