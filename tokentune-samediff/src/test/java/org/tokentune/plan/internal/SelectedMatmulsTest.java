package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.JoinTokens;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;

/** Attention's gradients of keys and values are computed only for the selected tokens. */
class SelectedMatmulsTest {

  private static final int BATCH = 3;
  private static final int SELECTED = 2;
  private static final int FROZEN = 5;
  private static final int HEADS = 2;
  private static final int SIZE = SELECTED + FROZEN;
  private static final int QUERIES = 6;

  private final INDArray keys = Nd4j.randn(DataType.FLOAT, BATCH * SELECTED, HEADS * SIZE);
  private final INDArray values = Nd4j.randn(DataType.FLOAT, BATCH * SELECTED, HEADS * SIZE);
  private final INDArray frozen = Nd4j.randn(DataType.FLOAT, BATCH * FROZEN, HEADS * SIZE);
  private final INDArray queries = Nd4j.randn(DataType.FLOAT, BATCH, HEADS, QUERIES, SIZE);

  private enum Keys {
    BY_HEAD,
    /** Their gradients are also read elsewhere. */
    READ_ELSEWHERE,
    /** Transposed, which has the same shape if the head size equals the sequence length. */
    TRANSPOSED
  }

  @Test
  void computesOnlyTheGradientsThatAreRead() {
    long all = 2L * BATCH * HEADS * QUERIES * SIZE * (SELECTED + FROZEN);
    long selected = 2L * BATCH * HEADS * QUERIES * SIZE * SELECTED;
    PlanOptions options = PlanOptions.gradients(List.of("loss"), List.of("k", "v"));
    // forward: scores and contexts; backward: gradients of weights, keys and values
    assertEquals(3 * all + 2 * selected, flops(Keys.BY_HEAD, options));
    assertEquals(3 * all + 2 * all, flops(Keys.READ_ELSEWHERE, options));
    assertEquals(3 * all + all + selected, flops(Keys.TRANSPOSED, options));
    System.out.printf(
        "matmul operations for all tokens %,d, for selected ones %,d%n", all, selected);
  }

  private long flops(Keys kind, PlanOptions options) {
    return Plan.of(graph(KernelMode.FUSED, kind), Map.of(), options).matmulFlops();
  }

  @Test
  void givesTheSameGradients() {
    List<String> variables = List.of("k", "v");
    for (Keys kind : Keys.values()) {
      SameDiff stock = graph(KernelMode.NATIVE, kind);
      Map<String, INDArray> expected = stock.calculateGradients(Map.of(), variables);
      PlanOptions options = PlanOptions.gradients(List.of("loss"), variables);
      for (ActivationCheckpointing level : ActivationCheckpointing.values()) {
        PlanOptions other = options.withCheckpointing(level, name -> false);
        try (PlanEngine engine = new PlanEngine(graph(KernelMode.FUSED, kind), other)) {
          check(variables, expected, engine.run(Map.of()).gradients(), kind + ", " + level);
        }
      }
    }
  }

  /** The gradients of all keys are themselves requested. */
  @Test
  void leavesRequestedGradients() {
    List<String> wanted = List.of("k", "joined");
    Map<String, INDArray> expected =
        graph(KernelMode.NATIVE, Keys.BY_HEAD).calculateGradients(Map.of(), wanted);
    PlanOptions options = PlanOptions.gradients(List.of("loss"), wanted);
    try (PlanEngine engine = new PlanEngine(graph(KernelMode.FUSED, Keys.BY_HEAD), options)) {
      check(wanted, expected, engine.run(Map.of()).gradients(), "wanted");
    }
  }

  private static void check(
      List<String> names,
      Map<String, INDArray> expected,
      Map<String, INDArray> gradients,
      String what) {
    for (String name : names) {
      double gap = expected.get(name).sub(gradients.get(name)).amaxNumber().doubleValue();
      System.out.printf("%s: gradient of %s, error %.1e%n", what, name, gap);
      assertTrue(expected.get(name).amaxNumber().doubleValue() > 0.1);
      assertEquals(0, gap, 1e-5);
    }
  }

  private SameDiff graph(KernelMode kernelMode, Keys kind) {
    SameDiff sd = SameDiff.create();
    SDVariable positions = sd.constant(Nd4j.zeros(DataType.INT32, BATCH, SELECTED));
    SDVariable rest = sd.constant("rest", frozen);
    SDVariable k =
        JoinTokens.apply(sd.var("k", keys), rest, positions, kernelMode).rename("joined");
    SDVariable v = JoinTokens.apply(sd.var("v", values), rest, positions, kernelMode);
    SDVariable q = sd.constant("q", queries);
    SDVariable scores =
        kind == Keys.TRANSPOSED
            ? sd.mmul(q, byToken(k).permute(0, 2, 3, 1))
            : sd.mmul(q, byToken(k).permute(0, 2, 1, 3), false, true, false);
    SDVariable context = sd.mmul(sd.nn().softmax(scores, -1), byToken(v).permute(0, 2, 1, 3));
    SDVariable sum = context.mul(context).sum();
    if (kind == Keys.READ_ELSEWHERE) {
      sum = sum.add(byToken(k).mul(2).sum()).add(byToken(v).sum());
    }
    sum.rename("loss");
    sd.setLossVariables("loss");
    return sd;
  }

  private static SDVariable byToken(SDVariable rows) {
    return rows.getSameDiff().reshape(rows, BATCH, -1, HEADS, SIZE);
  }
}
