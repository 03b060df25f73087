package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;
import org.tokentune.RandomWeights;
import org.tokentune.SmallBert;
import org.tokentune.models.Encoder;
import org.tokentune.models.Head;
import org.tokentune.models.Pooling;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.RandomTokens;
import org.tokentune.train.Hyperparameters.ClipBy;

/**
 * Clipping without holding all gradients, against the norms of all gradients: with descent at a
 * rate of 1, a parameter's change is its clipped gradient.
 */
class ClipByTest {

  private static final double NORM = 0.05;
  private static final Encoder MODEL =
      SmallBert.bert(0, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));

  private static Parameters weights() {
    return RandomWeights.of(MODEL, 5, 0.3f);
  }

  private static List<MultiDataSet> batch(int... labels) {
    int[][] ids = new int[labels.length][4];
    int[][] ones = new int[labels.length][4];
    for (int row = 0; row < labels.length; row++) {
      for (int i = 0; i < 4; i++) {
        ids[row][i] = 1 + (7 * row + 3 * i) % 20;
        ones[row][i] = 1;
      }
    }
    return List.of(
        new org.nd4j.linalg.dataset.MultiDataSet(
            new INDArray[] {
              Nd4j.createFromArray(ids),
              Nd4j.createFromArray(ones),
              Nd4j.createFromArray(new int[labels.length][4])
            },
            new INDArray[] {Nd4j.createFromArray(labels)}));
  }

  private static Hyperparameters sgd(ClipBy by, double norm) {
    return Hyperparameters.defaults()
        .withOptimizer(OptimizerSettings.adamW(0).withKind(OptimizerSettings.Kind.SGD))
        .withClip(norm)
        .withClipBy(by);
  }

  private static LocalStep steps(Parameters weights, Hyperparameters settings) {
    return new LocalStep(
        MODEL, weights, name -> true, RandomTokens.parse("50%", 1, false), settings);
  }

  private static TrainingStep.Result run(LocalStep steps, double rate) {
    return steps.run(batch(0, 1, 2), new TrainingStep.Position(0, 0, 0, 7), rate);
  }

  /** What steps at these rates subtract from the weights. */
  private static Map<String, INDArray> changes(Hyperparameters settings, double... rates) {
    Parameters weights = weights();
    try (LocalStep steps = steps(weights, settings)) {
      for (double rate : rates) {
        assertTrue(run(steps, rate).nonFinite().isEmpty());
      }
    }
    Map<String, INDArray> changes = new HashMap<>();
    weights().asMap().forEach((name, was) -> changes.put(name, was.sub(weights.get(name))));
    return changes;
  }

  private static double norm(Map<String, INDArray> changes) {
    return Math.sqrt(changes.values().stream().mapToDouble(one -> Math.pow(norm(one), 2)).sum());
  }

  private static double norm(INDArray change) {
    return change.norm2Number().doubleValue();
  }

  private static void equal(INDArray expected, INDArray actual, String name) {
    assertEquals(0, expected.sub(actual).amaxNumber().doubleValue(), 2e-7, name);
  }

  @Test
  void eachTensorByItsOwnNorm() {
    Map<String, INDArray> gradients = changes(sgd(ClipBy.ALL, Double.POSITIVE_INFINITY), 1);
    Map<String, INDArray> clipped = changes(sgd(ClipBy.TENSOR, NORM), 1);
    long most = gradients.values().stream().filter(one -> norm(one) > NORM).count();
    System.out.printf("%d of %d tensors are above %.2f%n", most, gradients.size(), NORM);
    assertTrue(most > 3 && most < gradients.size());
    gradients.forEach(
        (name, gradient) -> {
          double factor = Math.min(1, NORM / (norm(gradient) + 1e-6));
          equal(gradient.mul(factor), clipped.get(name), name);
        });
  }

  /** A step at rate 0 only measures; the next one has the same gradients. */
  @Test
  void allByTheLastNorm() {
    Map<String, INDArray> all = changes(sgd(ClipBy.ALL, NORM), 0, 1);
    Map<String, INDArray> last = changes(sgd(ClipBy.LAST, NORM), 0, 1);
    all.forEach((name, expected) -> equal(expected, last.get(name), name));
    System.out.printf(
        "norm of the second step: %.6f, of the first %.6f%n",
        norm(last), norm(changes(sgd(ClipBy.LAST, NORM), 1)));
    assertEquals(NORM, norm(last), 1e-4);
    // Without a last norm each gradient counts with those before it: none is above the limit.
    Map<String, INDArray> first = changes(sgd(ClipBy.LAST, NORM), 1);
    first.forEach((name, change) -> assertTrue(norm(change) <= NORM * 1.0001, name));
    first.forEach((name, change) -> assertTrue(norm(change) >= norm(all.get(name)) * 0.999, name));
  }

  @Test
  void resumesWithTheLastNorm() {
    Parameters whole = weights();
    Parameters resumed = weights();
    ParameterOptimizer.State state;
    try (LocalStep one = steps(whole, sgd(ClipBy.LAST, NORM))) {
      run(one, 0);
      state = one.optimizer().state();
      run(one, 1);
    }
    assertEquals(List.of("gradient_norm"), List.copyOf(state.arrays().keySet()));
    try (LocalStep other = steps(resumed, sgd(ClipBy.LAST, NORM))) {
      other.optimizer().restore(state);
      run(other, 1);
    }
    whole.asMap().forEach((name, array) -> assertSameBits(array, resumed.get(name), name));
  }

  /** Only clipping reads a gradient before it is applied. */
  @Test
  void leavesOutWhatIsNotFinite() {
    Parameters weights = weights();
    String broken =
        weights.names().stream()
            .filter(n -> n.contains("LayerNorm.weight"))
            .findFirst()
            .orElseThrow();
    ParameterOptimizer optimizer =
        sgd(ClipBy.LAST, NORM).optimizer().optimizer(MODEL, weights).clipped(ClipBy.LAST, NORM);
    INDArray before = weights.get(broken).dup();
    optimizer.begin(1);
    optimizer.update(
        broken,
        weights.get(broken),
        0,
        Nd4j.valueArrayOf(before.shape(), Double.NaN, before.dataType()));

    assertTrue(!optimizer.end());
    assertSameBits(before, weights.get(broken), broken);
  }

  @Test
  void needsNoAccumulation() {
    Exception refused =
        assertThrows(BadSettingsException.class, () -> sgd(ClipBy.LAST, 1).withAccumulation(2));
    System.out.println(refused.getMessage());
    assertTrue(refused.getMessage().contains("clipBy must be all with accumulation"));
  }
}
