package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Conv2DConfig;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Pooling2DConfig;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.Gelu;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.WriteRows;
import org.tokentune.plan.ActivationCheckpointing;

/** Plans of graphs other than transformers give stock SameDiff's numbers. */
class PlanTest {

  static double compare(
      SameDiff sd, Map<String, INDArray> inputs, String loss, List<String> trained) {
    Map<String, INDArray> expected = new HashMap<>();
    sd.calculateGradients(inputs, trained)
        .forEach((name, array) -> expected.put(name, array.dup()));
    double expectedLoss = sd.outputSingle(inputs, loss).getDouble(0);
    double worst = 0;
    try (PlanEngine engine =
        new PlanEngine(
            sd,
            PlanOptions.gradients(List.of(loss), trained)
                .withCheckpointing(ActivationCheckpointing.ELEMENTWISE, name -> false))) {
      for (int run = 0; run < 2; run++) {
        PlanEngine.Result result = engine.run(inputs);
        worst = Math.max(worst, Math.abs(result.outputs().get(loss).getDouble(0) - expectedLoss));
        for (String name : trained) {
          INDArray gap = expected.get(name).sub(result.gradients().get(name));
          double scale = Math.max(1e-6, expected.get(name).amaxNumber().doubleValue());
          worst = Math.max(worst, gap.amaxNumber().doubleValue() / scale);
        }
      }
      System.out.printf(
          "plan: arena of %,d bytes, largest relative error %.1e%n", engine.arenaBytes(), worst);
    }
    return worst;
  }

  @Test
  void multilayerPerceptron() {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, 7);
    SDVariable y = sd.placeHolder("y", DataType.FLOAT, -1, 3);
    SDVariable w1 = sd.var("w1", Nd4j.randn(7, 16));
    SDVariable b1 = sd.var("b1", Nd4j.randn(16));
    SDVariable w2 = sd.var("w2", Nd4j.randn(16, 3));
    SDVariable hidden = sd.nn().relu(x.mmul(w1).add(b1), 0);
    SDVariable gap = sd.math().tanh(hidden.mmul(w2)).sub(y);
    gap.mul(gap).mean().rename("loss");
    sd.setLossVariables("loss");
    Map<String, INDArray> inputs = Map.of("x", Nd4j.randn(5, 7), "y", Nd4j.randn(5, 3));
    assertTrue(compare(sd, inputs, "loss", List.of("w1", "b1", "w2")) < 1e-5);
  }

  @Test
  void convolutionalNetwork() {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, 2, 8, 8);
    SDVariable w = sd.var("w", Nd4j.randn(3, 3, 2, 4));
    SDVariable b = sd.var("b", Nd4j.randn(4));
    SDVariable v = sd.var("v", Nd4j.randn(36, 2));
    Conv2DConfig convolution = Conv2DConfig.builder().kH(3).kW(3).sH(1).sW(1).build();
    Pooling2DConfig pooling = Pooling2DConfig.builder().kH(2).kW(2).sH(2).sW(2).build();
    SDVariable maps = sd.nn().relu(sd.cnn().conv2d(x, w, b, convolution), 0);
    SDVariable pooled = sd.cnn().maxPooling2d(maps, pooling);
    SDVariable out = sd.reshape(pooled, -1, 36).mmul(v);
    out.mul(out).mean().rename("loss");
    sd.setLossVariables("loss");
    Map<String, INDArray> inputs = Map.of("x", Nd4j.randn(DataType.FLOAT, 3, 2, 8, 8));
    assertTrue(compare(sd, inputs, "loss", List.of("w", "b", "v")) < 1e-5);
  }

  @Test
  void kernelsReadPermutedValues() {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder("x", DataType.FLOAT, 2, 3, 5);
    SDVariable w = sd.var("w", Nd4j.randn(2, 5, 3));
    SDVariable turned = x.mul(w.permute(0, 2, 1)).permute(0, 2, 1);
    Gelu.exact(turned, KernelMode.FUSED).mul(turned).sum().rename("fused");
    Gelu.exact(turned, KernelMode.NATIVE).mul(turned).sum().rename("native");
    Map<String, INDArray> inputs = Map.of("x", Nd4j.randn(2, 3, 5));
    List<String> names = List.of("fused", "native");
    try (PlanEngine engine = new PlanEngine(sd, PlanOptions.forward(names))) {
      Map<String, INDArray> sums = engine.run(inputs).outputs();
      System.out.println("kernels on a permuted value: " + sums);
      assertEquals(sums.get("native").getDouble(0), sums.get("fused").getDouble(0), 1e-5);
    }
  }

  /** Rows written into a table persist to the next run; the arena holds no copy of the table. */
  @Test
  void rowsAreWrittenIntoTheTableInPlace() {
    SameDiff sd = SameDiff.create();
    SDVariable table = sd.constant("table", Nd4j.zeros(DataType.FLOAT, 1000, 3));
    SDVariable ids = sd.placeHolder("ids", DataType.INT32, -1);
    SDVariable rows = sd.placeHolder("rows", DataType.FLOAT, -1, 3);
    SDVariable start = sd.constant(Nd4j.createFromArray(new long[] {0, 0}));
    SDVariable size = sd.constant(Nd4j.createFromArray(new long[] {4, 3}));
    sd.slice(WriteRows.apply(table, ids, rows), start, size).sum(1).rename("sums");
    try (PlanEngine engine = new PlanEngine(sd, PlanOptions.forward(List.of("sums")))) {
      float[][] expected = {{0, 3, 0, 0}, {0, 3, 6, 0}, {0, 9, 6, 0}};
      int[] places = {1, 2, 1};
      for (int run = 0; run < places.length; run++) {
        INDArray row = Nd4j.valueArrayOf(new long[] {1, 3}, run + 1f, DataType.FLOAT);
        Map<String, INDArray> inputs =
            Map.of("ids", Nd4j.createFromArray(places[run]), "rows", row);
        assertSameBits(
            Nd4j.createFromArray(expected[run]), engine.run(inputs).outputs().get("sums"));
      }
      assertTrue(engine.arenaBytes() < 1000, engine.arenaBytes() + " bytes");
    }
    assertEquals(15, table.getArr().sumNumber().intValue());
  }
}
