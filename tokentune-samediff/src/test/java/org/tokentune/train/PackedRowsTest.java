package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.GoldenModel.error;
import static org.tokentune.GoldenModel.largest;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.GoldenModel;
import org.tokentune.models.ModelGraph;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.Losses;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;

/** Texts packed into a row train as if each had a row of its own. */
class PackedRowsTest {

  /** Some longer than the sliding windows of 4 and 8, some shorter. */
  private static final int[] TEXTS = {5, 9, 3, 11, 6};

  private static final int PADDING = 3;

  private static final int LENGTH = Arrays.stream(TEXTS).sum() + PADDING;

  private static List<String> decoders() {
    return GoldenModel.families().stream()
        .filter(family -> GoldenModel.of(family).model().config().causal())
        .toList();
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

    INDArray[] features() {
      return new INDArray[] {
        Nd4j.createFromArray(ids), Nd4j.createFromArray(mask), Nd4j.createFromArray(starts)
      };
    }

    Map<String, INDArray> inputs(GoldenModel golden, int[] selected) {
      INDArray[] targets = {Nd4j.createFromArray(labels)};
      Map<String, INDArray> inputs =
          StepInputs.labelled(
              golden.model().head(), new org.nd4j.linalg.dataset.MultiDataSet(features(), targets));
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
          all.filter(i -> i + 1 < ids[0].length && labels[0][i + 1] != Losses.IGNORED).count();
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
      GoldenModel golden, Map<String, INDArray> inputs, KernelMode mode) {
    return GoldenModel.step(golden.model(), golden.parameters(), name -> true, inputs, mode);
  }

  private static double worst(
      TrainingEngine.Result one, double loss, Map<String, INDArray> gradients) {
    double floor = 1e-4 * largest(gradients);
    double worst = Math.abs(one.loss() - loss) / loss;
    for (Map.Entry<String, INDArray> entry : gradients.entrySet()) {
      worst = Math.max(worst, error(entry.getValue(), one.gradients().get(entry.getKey()), floor));
    }
    return worst;
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void packedTextsTrainAsIfApart(String family) {
    GoldenModel golden = GoldenModel.of(family);
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
            TrainingEngine.Result result = step(golden, apart.inputs(golden, own), mode);
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
        Map<String, INDArray> inputs = packed.inputs(golden, all ? null : chosen.build().toArray());
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
}
