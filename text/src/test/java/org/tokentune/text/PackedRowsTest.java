package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.datasets.Packing;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.StepInputs;
import org.tokentune.train.TrainingEngine;

/**
 * Texts packed into a row train as if each had a row of its own: with attention by weights
 * (native), and in tiles (fused, as tokentune-cpu is there).
 */
class PackedRowsTest {

  /** Some longer than the sliding windows of 4 and 8, some shorter. */
  private static final int[] TEXTS = {5, 9, 3, 11, 6};

  private static final int PADDING = 3;

  private static final int LENGTH = Arrays.stream(TEXTS).sum() + PADDING;

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");

  private static List<String> decoders() {
    return List.of("gpt2", "llama", "mistral", "phi3-partial", "gemma2", "gemma3", "stablelm");
  }

  private record Golden(TransformerModel model, Parameters parameters) {

    static Golden of(String family) {
      Path path = GOLDEN.resolve(family);
      ModelConfig config = ModelConfig.read(ModelFolder.config(path), family).withDropout(0);
      TransformerModel model =
          config.model(new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST));
      try (WeightSource weights = ModelFolder.weights(path)) {
        return new Golden(model, ParameterLoader.load(model, weights));
      }
    }
  }

  /** Features of one row, with labels for the last two thirds of each text. */
  private record Rows(int[][] ids, int[][] mask, int[][] starts, int[][] labels) {

    static Rows of(int vocabulary, int from, int to) {
      int tokens = IntStream.range(from, to).map(i -> TEXTS[i]).sum();
      int length = to - from == TEXTS.length ? LENGTH : tokens;
      Rows rows =
          new Rows(new int[1][length], new int[1][length], new int[1][length], new int[1][length]);
      Arrays.fill(rows.labels[0], TokenSelector.NO_LABEL);
      int start = 0;
      for (int text = from; text < to; text++) {
        Random random = new Random(text);
        for (int i = start; i < start + TEXTS[text]; i++) {
          rows.ids[0][i] = 1 + random.nextInt(vocabulary - 1);
          rows.mask[0][i] = 1;
          rows.starts[0][i] = start;
          boolean labelled = i - start > TEXTS[text] / 3;
          rows.labels[0][i] = labelled ? rows.ids[0][i] : TokenSelector.NO_LABEL;
        }
        start += TEXTS[text];
      }
      return rows;
    }

    Map<String, INDArray> inputs(int[] selected) {
      int[][] positions = {IntStream.range(0, ids[0].length).map(i -> i - starts[0][i]).toArray()};
      Map<String, INDArray> inputs = new HashMap<>();
      inputs.put(ModelGraph.INPUT_IDS, Nd4j.createFromArray(ids));
      inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.createFromArray(mask));
      inputs.put(ModelGraph.POSITION_IDS, Nd4j.createFromArray(positions));
      inputs.put(ModelGraph.LABELS, Nd4j.createFromArray(labels));
      if (selected != null) {
        int length = ids[0].length;
        int[] frozen =
            IntStream.range(0, length)
                .filter(i -> Arrays.stream(selected).noneMatch(one -> one == i))
                .toArray();
        StepInputs.select(inputs, new TokenSelection(new int[][] {selected}, new int[][] {frozen}));
      }
      return inputs;
    }

    /** How many selected tokens have a label behind them. */
    int counted(int[] selected) {
      IntStream all =
          selected == null ? IntStream.range(0, ids[0].length) : Arrays.stream(selected);
      return (int)
          all.filter(i -> i + 1 < ids[0].length && labels[0][i + 1] != TokenSelector.NO_LABEL)
              .count();
    }
  }

  /** About 30% of a text's tokens. */
  private static int[] selected(int text) {
    Random random = new Random(100 + text);
    return random
        .ints(0, TEXTS[text])
        .distinct()
        .limit(Math.round(0.3 * TEXTS[text]))
        .sorted()
        .toArray();
  }

  private static TrainingEngine.Result step(
      Golden golden, Map<String, INDArray> inputs, KernelMode mode) {
    GraphOptions options =
        GraphOptions.training(StepInputs.areSplit(inputs), name -> true).withKernelMode(mode);
    ModelGraph graph = golden.model().build(golden.parameters(), options);
    try (TrainingEngine engine =
        new TrainingEngine(graph, List.of(), ActivationCheckpointing.ELEMENTWISE)) {
      TrainingEngine.Result result = engine.run(inputs);
      Map<String, INDArray> gradients = new HashMap<>();
      result.gradients().forEach((name, gradient) -> gradients.put(name, gradient.dup()));
      return new TrainingEngine.Result(result.loss(), gradients, Map.of());
    }
  }

  private static double worst(
      TrainingEngine.Result one, double loss, Map<String, INDArray> gradients) {
    double largest =
        gradients.values().stream().mapToDouble(PackedRowsTest::largest).max().orElseThrow();
    double worst = Math.abs(one.loss() - loss) / loss;
    for (Map.Entry<String, INDArray> entry : gradients.entrySet()) {
      double scale = Math.max(1e-4 * largest, largest(entry.getValue()));
      double off = largest(entry.getValue().sub(one.gradients().get(entry.getKey())));
      worst = Math.max(worst, off / scale);
    }
    return worst;
  }

  private static double largest(INDArray gradient) {
    return gradient.amaxNumber().doubleValue();
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void packedTextsTrainAsIfApart(String family) {
    Golden golden = Golden.of(family);
    int vocabulary = golden.model().config().vocabulary();
    for (KernelMode mode : KernelMode.values()) {
      for (boolean all : new boolean[] {true, false}) {
        Rows packed = Rows.of(vocabulary, 0, TEXTS.length);
        IntStream.Builder chosen = IntStream.builder();
        double loss = 0;
        double counted = 0;
        Map<String, INDArray> gradients = new HashMap<>();
        int start = 0;
        for (int text = 0; text < TEXTS.length; text++) {
          Rows apart = Rows.of(vocabulary, text, text + 1);
          int[] own = all ? null : selected(text);
          int weight = apart.counted(own);
          if (weight > 0) {
            TrainingEngine.Result result = step(golden, apart.inputs(own), mode);
            loss += weight * result.loss();
            counted += weight;
            result
                .gradients()
                .forEach((name, sum) -> gradients.merge(name, sum.mul(weight), INDArray::addi));
          }
          int from = start;
          Arrays.stream(own == null ? new int[0] : own).forEach(i -> chosen.add(from + i));
          start += TEXTS[text];
        }
        double divisor = counted;
        gradients.values().forEach(gradient -> gradient.divi(divisor));
        Map<String, INDArray> inputs = packed.inputs(all ? null : chosen.build().toArray());
        double worst = worst(step(golden, inputs, mode), loss / counted, gradients);
        inputs.put(ModelGraph.POSITION_IDS, StepInputs.positions(1, LENGTH));
        double across = worst(step(golden, inputs, mode), loss / counted, gradients);
        System.out.printf(
            "%s, %s, %s tokens: loss %.6f of %.0f labels; packed differs by %.1e, with attention"
                + " across texts by %.1e%n",
            family, mode, all ? "all" : "30%", loss / counted, counted, worst, across);
        assertTrue(worst < 1e-5, "differs by " + worst);
        assertTrue(across > 1e-2, "differs by " + across);
      }
    }
  }

  @Test
  void packedTextsScoreAsIfApart(@TempDir Path folder) throws IOException {
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve("dpo").resolve(file), folder.resolve(file));
    }
    Path preferences = Path.of("src/test/resources/preferences");
    for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(preferences.resolve(file), folder.resolve(file));
    }
    List<TokenBatches.Row> rows =
        new Random(4)
            .ints(40, 2, 20)
            .mapToObj(n -> TokenBatches.Row.ofText(new Random(n).ints(n, 4, 61).toArray(), 1))
            .toList();
    List<TokenBatches.Row> packed = Packing.pack(rows, 60);
    try (ModelFiles files = ModelFolder.open(folder);
        LanguageModel model = LanguageModel.open(files, 0.0)) {
      Scores apart = model.evaluate(rows);
      Scores together = model.evaluate(packed);
      System.out.printf(
          "%d texts: loss %.7f of %d tokens; in %d rows %.7f of %d%n",
          rows.size(), apart.loss(), apart.rows(), packed.size(), together.loss(), together.rows());
      assertEquals(apart.rows(), together.rows());
      assertEquals(apart.loss(), together.loss(), 1e-6);
    }
  }
}
