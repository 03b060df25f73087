package org.tokentune.plan;

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
import org.tokentune.ops.Style;

/** Attention's gradients of keys and values are computed for the selected tokens only. */
class SelectedProductsTest {

  private static final int BATCH = 3;
  private static final int SELECTED = 2;
  private static final int FROZEN = 5;
  private static final int HEADS = 2;
  private static final int SIZE = 4;
  private static final int QUERIES = 6;

  private final INDArray keys = Nd4j.randn(DataType.FLOAT, BATCH * SELECTED, HEADS * SIZE);
  private final INDArray values = Nd4j.randn(DataType.FLOAT, BATCH * SELECTED, HEADS * SIZE);
  private final INDArray frozen = Nd4j.randn(DataType.FLOAT, BATCH * FROZEN, HEADS * SIZE);
  private final INDArray queries = Nd4j.randn(DataType.FLOAT, BATCH, HEADS, QUERIES, SIZE);

  @Test
  void computesNoMoreThanIsRead() {
    long all = 2L * BATCH * HEADS * QUERIES * SIZE * (SELECTED + FROZEN);
    long selected = 2L * BATCH * HEADS * QUERIES * SIZE * SELECTED;
    SameDiff sd = graph(Style.FUSED, false);
    PlanOptions options = PlanOptions.gradients(List.of("loss"), List.of("k", "v"));
    Plan plan = Plan.of(sd, Map.of(), options);
    System.out.printf("products of all tokens %,d, of selected ones %,d%n", all, selected);
    // forward: scores and contexts; backward: those of weights, and of keys and values
    assertEquals(3 * all + 2 * selected, plan.productFlops());
    assertEquals(
        3 * all + 2 * all, Plan.of(graph(Style.FUSED, true), Map.of(), options).productFlops());
  }

  /** Where something else reads the gradients of all keys too, they stay. */
  @Test
  void givesTheSameGradients() {
    for (boolean readElsewhere : new boolean[] {false, true}) {
      Map<String, INDArray> expected =
          graph(Style.NATIVE, readElsewhere).calculateGradients(Map.of(), List.of("k", "v"));
      PlanOptions options = PlanOptions.gradients(List.of("loss"), List.of("k", "v"));
      try (PlanEngine engine = new PlanEngine(graph(Style.FUSED, readElsewhere), options)) {
        PlanEngine.Result result = engine.run(Map.of());
        for (String name : List.of("k", "v")) {
          INDArray gap = expected.get(name).sub(result.gradients().get(name));
          System.out.printf("gradient of %s: error %.1e%n", name, gap.amaxNumber().doubleValue());
          assertTrue(expected.get(name).amaxNumber().doubleValue() > 0.1);
          assertEquals(0, gap.amaxNumber().doubleValue(), 1e-5);
        }
      }
    }
  }

  private SameDiff graph(Style style, boolean readElsewhere) {
    SameDiff sd = SameDiff.create();
    SDVariable positions = sd.constant(Nd4j.zeros(DataType.INT32, BATCH, SELECTED));
    SDVariable rest = sd.constant("rest", frozen);
    SDVariable k = JoinTokens.apply(sd.var("k", keys), rest, positions, style);
    SDVariable v = JoinTokens.apply(sd.var("v", values), rest, positions, style);
    SDVariable scores = sd.mmul(sd.constant("q", queries), byHead(k), false, true, false);
    SDVariable context = sd.mmul(sd.nn().softmax(scores, -1), byHead(v));
    SDVariable sum = context.mul(context).sum();
    (readElsewhere ? sum.add(k.mul(k).sum()).add(v.sum()) : sum).rename("loss");
    sd.setLossVariables("loss");
    return sd;
  }

  private static SDVariable byHead(SDVariable rows) {
    SameDiff sd = rows.getSameDiff();
    return sd.reshape(rows, BATCH, -1, HEADS, SIZE).permute(0, 2, 1, 3);
  }
}
