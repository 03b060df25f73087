package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.RandomWeights;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.LossSettings;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;

/** Steps of language models: what counts, and what batches add up to. */
class LanguageModelTrainingTest {

  private static final int LENGTH = 12;

  private static TransformerModel model(String name) {
    String file = "/golden/" + name + "/config.json";
    try (InputStream config = LanguageModelTrainingTest.class.getResourceAsStream(file)) {
      ModelConfig sizes = ModelConfig.read(new ObjectMapper().readTree(config), file);
      Head head = new Head(Objectives.CAUSAL_LM, sizes.vocabulary(), Pooling.FIRST);
      return sizes.withDropout(0).model(head);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Parameters weights(TransformerModel model) {
    return RandomWeights.of(model, 5, 0.1f);
  }

  /** Rows of a batch, of 5 to 12 tokens; of row i the first i labels do not count. */
  private static MultiDataSet batch(int vocabulary, int from, int to) {
    int[][] ids = new int[to - from][LENGTH];
    int[][] mask = new int[to - from][LENGTH];
    int[][] labels = new int[to - from][LENGTH];
    for (int row = from; row < to; row++) {
      Random random = new Random(row);
      int length = 5 + random.nextInt(LENGTH - 4);
      for (int i = 0; i < LENGTH; i++) {
        ids[row - from][i] = i < length ? random.nextInt(vocabulary) : 0;
        mask[row - from][i] = i < length ? 1 : 0;
        labels[row - from][i] =
            i < length && i >= row ? ids[row - from][i] : TokenSelector.NO_LABEL;
      }
    }
    return dataSet(ids, mask, labels);
  }

  private static MultiDataSet dataSet(int[][] ids, int[][] mask, int[][] labels) {
    INDArray types = Nd4j.createFromArray(new int[ids.length][LENGTH]);
    return new org.nd4j.linalg.dataset.MultiDataSet(
        new INDArray[] {Nd4j.createFromArray(ids), Nd4j.createFromArray(mask), types},
        new INDArray[] {Nd4j.createFromArray(labels)});
  }

  private static TrainingStep.Position at(int batch, int step) {
    return new TrainingStep.Position(0, batch, step, 7);
  }

  private static Hyperparameters settings(int accumulation) {
    return new Hyperparameters(
        1,
        3,
        accumulation,
        1e-2,
        OptimizerSettings.adamW(0.01),
        Schedule.linear(0),
        1.0,
        Hyperparameters.ClipBy.ALL,
        MemorySettings.defaults(),
        7,
        LossSettings.plain());
  }

  private static LocalStep steps(TransformerModel model, Parameters weights, int accumulation) {
    // As many tokens as there are: the draw may differ between batches, but not its result.
    TokenSelector selector = RandomTokens.parse("100%", 1, false);
    return new LocalStep(model, weights, name -> true, selector, settings(accumulation));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void batchesAddUpToOne(String name) {
    TransformerModel model = model(name);
    int words = model.config().vocabulary();
    Parameters whole = weights(model);
    Parameters parts = weights(model);
    double lossWhole = 0;
    double lossParts = 0;
    try (LocalStep one = steps(model, whole, 1);
        LocalStep three = steps(model, parts, 3)) {
      for (int step = 0; step < 3; step++) {
        lossWhole = one.run(List.of(batch(words, 0, 6)), at(step, step), 1e-2).loss();
        List<MultiDataSet> together =
            List.of(batch(words, 0, 1), batch(words, 1, 4), batch(words, 4, 6));
        lossParts = three.run(together, at(3 * step, step), 1e-2).loss();
      }
    }
    double worst =
        whole.names().stream()
            .mapToDouble(key -> whole.get(key).sub(parts.get(key)).amaxNumber().doubleValue())
            .max()
            .orElseThrow();
    System.out.printf(
        "%s: loss of the third step %.7f, of three batches for a step %.7f; weights differ by at most %.1e%n",
        name, lossWhole, lossParts, worst);
    assertEquals(lossWhole, lossParts, 1e-5);
    assertTrue(worst < 1e-4, "weights differ by " + worst);
  }

  /** In one buffer, as DL4J's networks hold them: updated at once, each as early as alone. */
  @Test
  void parametersSideBySideTrainAsAloneInAsManyBytes() {
    TransformerModel model = model("llama");
    Parameters alone = weights(model);
    Parameters together = sideBySide(alone);
    List<MultiDataSet> batch = List.of(texts(model.config().vocabulary()));
    TokenSelector spans = RandomTokens.parse("span:3", 1, false);
    try (LocalStep one = new LocalStep(model, alone, key -> true, spans, sgd(1));
        LocalStep other = new LocalStep(model, together, key -> true, spans, sgd(1))) {
      assertEquals(one.run(batch, at(0, 0), 1).loss(), other.run(batch, at(0, 0), 1).loss());
      System.out.printf("a step with updates at once: %,d bytes%n", one.memory().step().arena());
      assertEquals(one.memory().step().arena(), other.memory().step().arena());
    }
    alone.asMap().forEach((key, array) -> assertSameBits(array, together.get(key), key));
  }

  private static Parameters sideBySide(Parameters parameters) {
    long total = parameters.asMap().values().stream().mapToLong(INDArray::length).sum();
    INDArray buffer = Nd4j.create(DataType.FLOAT, total);
    Map<String, INDArray> aliases = new LinkedHashMap<>();
    long at = 0;
    for (Map.Entry<String, INDArray> entry : parameters.asMap().entrySet()) {
      long end = at + entry.getValue().length();
      INDArray view = buffer.get(NDArrayIndex.interval(at, end));
      aliases.put(entry.getKey(), view.reshape('c', entry.getValue().shape()));
      aliases.get(entry.getKey()).assign(entry.getValue());
      at = end;
    }
    return new Parameters(aliases);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void withoutLabelsNothingChanges(String name) {
    TransformerModel model = model(name);
    Parameters weights = weights(model);
    int[][] ids = {IntStream.range(0, LENGTH).toArray()};
    int[][] mask = {IntStream.range(0, LENGTH).map(i -> 1).toArray()};
    int[][] none = {IntStream.range(0, LENGTH).map(i -> TokenSelector.NO_LABEL).toArray()};
    none[0][0] = 3; // the first token is no one's next
    double loss;
    try (LocalStep training = steps(model, weights, 1)) {
      loss = training.run(List.of(dataSet(ids, mask, none)), at(0, 0), 1e-2).loss();
    }
    Parameters before = weights(model);
    double changed =
        weights.names().stream()
            .mapToDouble(key -> weights.get(key).sub(before.get(key)).amaxNumber().doubleValue())
            .max()
            .orElseThrow();
    System.out.printf(
        "%s: without labels loss %.1f, weights change by %.1f%n", name, loss, changed);
    assertEquals(0, loss);
    assertEquals(0, changed);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void lossIsTheMeanOverLabelledTokens(String name) {
    TransformerModel model = model(name);
    Parameters weights = weights(model);
    int words = model.config().vocabulary();
    List<Double> losses;
    List<Long> counts;
    try (Evaluator evaluator = new Evaluator(model, weights, ids -> "a row")) {
      List<Scores> single =
          IntStream.range(0, 6)
              .mapToObj(row -> evaluator.evaluate(batches(batch(words, row, row + 1))))
              .toList();
      losses = single.stream().map(Scores::loss).toList();
      counts = single.stream().map(Scores::rows).toList();
      Scores all = evaluator.evaluate(batches(batch(words, 0, 6)));
      double sum = IntStream.range(0, 6).mapToDouble(i -> losses.get(i) * counts.get(i)).sum();
      long tokens = counts.stream().mapToLong(Long::longValue).sum();
      System.out.printf(
          "%s: %d tokens, perplexity %.5f; row by row %.5f%n",
          name, all.rows(), all.perplexity(), Math.exp(sum / tokens));
      assertEquals(tokens, all.rows());
      assertEquals(sum / tokens, all.loss(), 1e-5);
    }
  }

  /**
   * A causal model's step reads no token after the last selected one and its label. Two batches, of
   * texts and of answers to prompts, in one step against both in full, run one by one.
   *
   * @param number of the batch: 6 draws the texts' first tokens, which leaves none frozen, 1 others
   */
  @ParameterizedTest
  @CsvSource({"gpt2, 6", "llama, 6", "gpt2, 1", "llama, 1"})
  void whatComesAfterTheSelectedTokensChangesNothing(String name, int number) {
    TransformerModel model = model(name);
    List<MultiDataSet> together =
        List.of(texts(model.config().vocabulary()), answers(model.config().vocabulary()));
    List<TokenSelection> drawn = new ArrayList<>();
    TokenSelector spans = RandomTokens.parse("span:3", 1, false);
    TokenSelector noting =
        (lengths, length, labels, seed, epoch, batch) -> {
          drawn.add(spans.select(lengths, length, labels, seed, epoch, number));
          return drawn.get(drawn.size() - 1);
        };
    Parameters trained = weights(model);
    double loss;
    long arena;
    try (LocalStep cut = new LocalStep(model, trained, key -> true, noting, sgd(2))) {
      loss = cut.run(together, at(0, 0), 1).loss();
      arena = cut.arenaBytes();
    }
    Parameters before = weights(model);
    Map<String, INDArray> expected = new HashMap<>();
    before.asMap().forEach((key, value) -> expected.put(key, value.dup()));
    double expectedLoss = 0;
    long expectedArena;
    double[] labelled = {
      counted(together.get(0), drawn.get(0)), counted(together.get(1), drawn.get(1))
    };
    GraphOptions options = GraphOptions.training(true, key -> true);
    try (TrainingEngine whole =
        new TrainingEngine(
            model.build(before, options.withKernelMode(KernelMode.preferred())),
            List.of(),
            ActivationCheckpointing.ELEMENTWISE)) {
      for (int i = 0; i < 2; i++) {
        assertTrue(drawn.get(i).end() + 1 < LENGTH, "nothing to cut: " + drawn.get(i).end());
        double share = labelled[i] / (labelled[0] + labelled[1]);
        Map<String, INDArray> inputs = StepInputs.labelled(model.head(), together.get(i));
        inputs.put(ModelGraph.SELECTED, Nd4j.createFromArray(drawn.get(i).selected()));
        inputs.put(ModelGraph.FROZEN, Nd4j.createFromArray(drawn.get(i).frozen()));
        TrainingEngine.Result result = whole.run(inputs);
        expectedLoss += share * result.loss();
        result.gradients().forEach((key, gradient) -> expected.get(key).subi(gradient.mul(share)));
      }
      expectedArena = whole.arenaBytes();
    }
    double worst =
        expected.entrySet().stream()
            .mapToDouble(
                entry ->
                    trained.get(entry.getKey()).sub(entry.getValue()).amaxNumber().doubleValue())
            .max()
            .orElseThrow();
    System.out.printf(
        "%s: cut to %d and %d of %d tokens: arena %,d of %,d bytes, loss %.7f, uncut %.7f; weights"
            + " after a step differ by at most %.1e%n",
        name,
        drawn.get(0).end() + 1,
        drawn.get(1).end() + 1,
        LENGTH,
        arena,
        expectedArena,
        loss,
        expectedLoss,
        worst);
    assertTrue(arena < expectedArena);
    assertEquals(expectedLoss, loss, 1e-6);
    assertTrue(worst < 1e-6, "weights differ by " + worst);
  }

  /** Rows of 12, 9 and 2 tokens, of which the last has none but its first two to select. */
  private static MultiDataSet texts(int vocabulary) {
    return rows(vocabulary, new int[] {12, 9, 2}, new int[3]);
  }

  /** Prompts of 2 to 6 tokens, without labels, and answers. */
  private static MultiDataSet answers(int vocabulary) {
    return rows(vocabulary, new int[] {12, 11, 8}, new int[] {2, 4, 6});
  }

  private static MultiDataSet rows(int vocabulary, int[] lengths, int[] prompts) {
    Random random = new Random(3);
    int[][] ids = new int[lengths.length][LENGTH];
    int[][] mask = new int[lengths.length][LENGTH];
    int[][] labels = new int[lengths.length][LENGTH];
    for (int row = 0; row < lengths.length; row++) {
      Arrays.fill(labels[row], TokenSelector.NO_LABEL);
      for (int i = 0; i < lengths[row]; i++) {
        ids[row][i] = random.nextInt(vocabulary);
        mask[row][i] = 1;
        labels[row][i] = i < prompts[row] ? TokenSelector.NO_LABEL : ids[row][i];
      }
    }
    return dataSet(ids, mask, labels);
  }

  /** Selected tokens whose next one is a label. */
  private static long counted(MultiDataSet batch, TokenSelection selection) {
    int[][] labels = batch.getLabels(0).toIntMatrix();
    return IntStream.range(0, labels.length)
        .mapToLong(
            row ->
                Arrays.stream(selection.selected()[row])
                    .filter(i -> i + 1 < LENGTH && labels[row][i + 1] != TokenSelector.NO_LABEL)
                    .count())
        .sum();
  }

  private static Hyperparameters sgd(int accumulation) {
    return new Hyperparameters(
        1,
        1,
        accumulation,
        1,
        new OptimizerSettings(OptimizerSettings.Kind.SGD, 0, 0, 1, Map.of()),
        Schedule.linear(0),
        Double.POSITIVE_INFINITY,
        Hyperparameters.ClipBy.ALL,
        MemorySettings.defaults(),
        7,
        LossSettings.plain());
  }

  /**
   * A vocabulary of three slices: the head's gradient comes slice by slice, and a tied table gets
   * one update from the sum of its gradients as input and as head.
   */
  @ParameterizedTest(name = "tied: {0}, updates at once: {1}, checked: {2}, {3}")
  @CsvSource({
    "true, true, false, ELEMENTWISE",
    "false, true, false, BLOCKS",
    "true, false, false, ATTENTION",
    "false, false, false, ELEMENTWISE",
    "true, true, true, ATTENTION",
    "false, true, true, ELEMENTWISE"
  })
  void slicesOfAVocabularyTrainAsStockSameDiffDoes(
      boolean tied,
      boolean optimizerInBackward,
      boolean checked,
      ActivationCheckpointing checkpointing)
      throws IOException {
    String json =
        """
        {"model_type": "llama", "vocab_size": 9001, "hidden_size": 8, "intermediate_size": 12,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 16, "tie_word_embeddings": %s}"""
            .formatted(tied);
    ModelConfig sizes = ModelConfig.read(new ObjectMapper().readTree(json), "test");
    TransformerModel model =
        sizes.model(new Head(Objectives.CAUSAL_LM, sizes.vocabulary(), Pooling.FIRST));
    Parameters ours = weights(model);
    Parameters stocks = weights(model);
    GraphOptions options = GraphOptions.training(true, name -> true);
    ModelGraph graph = model.build(ours, options.withKernelMode(KernelMode.FUSED));
    SameDiffEngine stock = new SameDiffEngine(model.build(stocks, options));
    ParameterOptimizer optimizer = new ParameterOptimizer(AdamW.USUAL, ours, 0.01);
    ParameterOptimizer stockOptimizer = new ParameterOptimizer(AdamW.USUAL, stocks, 0.01);
    double worst = 0;
    double last = 0;
    System.setProperty("org.tokentune.plan.check", Boolean.toString(checked));
    try (TrainingEngine engine =
        optimizerInBackward
            ? new TrainingEngine(graph, checkpointing, optimizer)
            : new TrainingEngine(graph, List.of(), checkpointing)) {
      for (int step = 0; step < 8; step++) {
        Map<String, INDArray> inputs =
            StepInputs.labelled(model.head(), batch(sizes.vocabulary(), 0, 4));
        int[][] selected = {{0, 2, 3, 4}, {0, 1, 3, 4}, {1, 2, 3, 4}, {0, 2, 3, 4}};
        int[][] frozen = new int[4][];
        for (int row = 0; row < 4; row++) {
          List<Integer> taken = Arrays.stream(selected[row]).boxed().toList();
          frozen[row] = IntStream.range(0, LENGTH).filter(i -> !taken.contains(i)).toArray();
        }
        inputs.put(ModelGraph.SELECTED, Nd4j.createFromArray(selected));
        inputs.put(ModelGraph.FROZEN, Nd4j.createFromArray(frozen));
        if (optimizerInBackward) {
          optimizer.begin(1e-2);
        }
        TrainingEngine.Result result = engine.run(inputs);
        if (!optimizerInBackward) {
          optimizer.step(result.gradients(), 1e-2);
        }
        SameDiffEngine.Result expected = stock.run(inputs, List.of());
        stockOptimizer.step(expected.gradients(), 1e-2);
        worst = Math.max(worst, Math.abs(result.loss() - expected.loss()));
        last = expected.loss();
      }
    } finally {
      System.clearProperty("org.tokentune.plan.check");
    }
    System.out.printf(
        "vocabulary in slices, tied %s, at once %s, %s: loss to %.4f, largest difference from stock SameDiff %.1e%n",
        tied, optimizerInBackward, checkpointing, last, worst);
    assertTrue(worst < 1e-4, "differs by " + worst);
    assertTrue(last < 9.05, "learned nothing"); // at first log 9001 = 9.1
  }

  /** Updated at once, where the head's gradient comes in slices, or with all gradients held. */
  @ParameterizedTest
  @EnumSource(OptimizerSettings.Kind.class)
  void slicesOfAVocabularyTrainAlike(OptimizerSettings.Kind kind) throws IOException {
    String json =
        """
        {"model_type": "llama", "vocab_size": 9001, "hidden_size": 8, "intermediate_size": 12,
         "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 16}""";
    ModelConfig sizes = ModelConfig.read(new ObjectMapper().readTree(json), "test");
    TransformerModel model =
        sizes.model(new Head(Objectives.CAUSAL_LM, sizes.vocabulary(), Pooling.FIRST));
    Parameters together = weights(model);
    Parameters apart = weights(model);
    ParameterOptimizer optimizer = settings(kind).optimizer(model, together);
    ParameterOptimizer other = settings(kind).optimizer(model, apart);
    GraphOptions options =
        GraphOptions.training(false, name -> true).withKernelMode(KernelMode.FUSED);
    Map<String, INDArray> inputs =
        StepInputs.labelled(model.head(), batch(sizes.vocabulary(), 0, 4));
    try (TrainingEngine optimizerInBackward =
            new TrainingEngine(
                model.build(together, options), ActivationCheckpointing.ELEMENTWISE, optimizer);
        TrainingEngine held =
            new TrainingEngine(
                model.build(apart, options), List.of(), ActivationCheckpointing.ELEMENTWISE)) {
      System.out.printf(
          "%s: a step takes %,d bytes, with all gradients held %,d; loss",
          kind, optimizerInBackward.plan(inputs).bytes(), held.plan(inputs).bytes());
      double first = 0;
      double last = 0;
      for (int step = 0; step < 5; step++) {
        optimizer.begin(1e-2);
        last = optimizerInBackward.run(inputs).loss();
        first = step == 0 ? last : first;
        TrainingEngine.Result result = held.run(inputs);
        assertEquals(result.loss(), last);
        other.step(result.gradients(), 1e-2);
      }
      System.out.printf(" %.3f to %.3f%n", first, last);
      assertTrue(last < first);
    }
    together.asMap().forEach((name, array) -> assertSameBits(apart.get(name), array, name));
    assertEquals(other.state(), optimizer.state());
  }

  private static OptimizerSettings settings(OptimizerSettings.Kind kind) {
    double momentum = kind == OptimizerSettings.Kind.SGD ? 0.9 : 0;
    return new OptimizerSettings(kind, momentum, 0.01, 1, Map.of());
  }

  private static MultiDataSetIterator batches(MultiDataSet batch) {
    return new SingletonMultiDataSetIterator(batch);
  }
}
