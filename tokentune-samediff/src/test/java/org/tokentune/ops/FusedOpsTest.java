package org.tokentune.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.ops.internal.AffineScale;
import org.tokentune.ops.internal.FusedMeanLoss;
import org.tokentune.ops.internal.FusedNorm;
import org.tokentune.ops.internal.FusedNormGrad;
import org.tokentune.ops.internal.FusedRotation;
import org.tokentune.ops.internal.FusedSoftmax;
import org.tokentune.ops.internal.kernels.ActivationKernel;
import org.tokentune.ops.internal.kernels.Exp;

/** Compares every fused op, forward and backward, with its native form in double precision. */
class FusedOpsTest {

  private static final long[][] SHAPES = {{1, 1}, {1, 7}, {3, 8}, {5, 33}, {37, 384}, {700, 33}};

  @Test
  void stockSameDiffClonesButDoesNotRunFusedGraphs() {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.var("x", FusedCheck.normal(1, 3, 4));
    SDVariable gain = sd.constant("gain", FusedCheck.normal(2, 4));
    SDVariable bias = sd.constant("bias", FusedCheck.normal(3, 4));
    LayerNormOps.apply(x, null, gain, bias, 1e-5, KernelMode.FUSED).sum().markAsLoss();
    Exception e =
        assertThrows(
            IllegalStateException.class, () -> sd.calculateGradients(Map.of(), "x").get("x"));
    assertTrue(e.getMessage().contains("runs in an execution plan only"), e.getMessage());
    List<DifferentialFunction> ops =
        sd.getFunction("grad").getOps().values().stream().map(SameDiffOp::getOp).toList();
    FusedNorm cloned =
        assertInstanceOf(
            FusedNorm.class, ops.stream().filter(FusedNorm.class::isInstance).findAny().get());
    assertEquals(1e-5, cloned.getTArgument(0));
    assertEquals(1, cloned.getIArgument(0));
    assertTrue(ops.stream().anyMatch(FusedNormGrad.class::isInstance));
    assertTrue(ops.stream().anyMatch(AffineScale.class::isInstance));
  }

  @Test
  void biasAdd() {
    for (long[] shape : SHAPES) {
      new FusedCheck("bias add " + List.of(shape[0], shape[1]))
          .variable("x", shape)
          .variable("bias", shape[1])
          .run((sd, in, kernelMode) -> BiasAdd.apply(in.get("x"), in.get("bias"), kernelMode));
    }
    new FusedCheck("bias add, constant bias")
        .variable("x", 3, 5)
        .constant("bias", FusedCheck.normal(2, 5))
        .run((sd, in, kernelMode) -> BiasAdd.apply(in.get("x"), in.get("bias"), kernelMode));
  }

  @Test
  void layerNorm() {
    for (long[] shape : new long[][] {{1, 7}, {3, 8}, {5, 33}, {37, 384}, {700, 33}}) {
      for (boolean residual : new boolean[] {false, true}) {
        FusedCheck check =
            new FusedCheck("layer norm " + List.of(shape[0], shape[1]) + (residual ? " + r" : ""))
                .variable("x", shape)
                .variable("gain", shape[1])
                .variable("bias", shape[1]);
        if (residual) {
          check.variable("residual", shape);
        }
        check.run(FusedOpsTest::norm);
      }
    }
    INDArray gain = FusedCheck.normal(2, 33);
    gain.putScalar(3, 0);
    new FusedCheck("layer norm, constant gain with a 0")
        .variable("x", 3, 33)
        .constant("gain", gain)
        .constant("bias", FusedCheck.normal(3, 33))
        .run(FusedOpsTest::norm);
    new FusedCheck("layer norm, mean 100")
        .variable("x", FusedCheck.normal(2, 5, 33).add(100))
        .variable("gain", 33)
        .variable("bias", 33)
        .tolerance(2e-5) // the rows themselves are only accurate to 4e-6
        .run(FusedOpsTest::norm);
  }

  /** The native form rejects a width of 1, where every row equals its bias. */
  @Test
  void layerNormOfWidthOne() {
    Map<String, INDArray> narrow =
        new FusedCheck("layer norm of width 1")
            .variable("x", 3, 1)
            .variable("gain", 1)
            .variable("bias", 1)
            .outputShape(3, 1)
            .fused(FusedOpsTest::norm);
    assertSameBits(Nd4j.zeros(DataType.FLOAT, 3, 1), narrow.get("x"));
  }

  @Test
  void rmsNorm() {
    for (long[] shape : new long[][] {{1, 7}, {3, 8}, {5, 33}, {37, 384}, {700, 33}}) {
      for (boolean residual : new boolean[] {false, true}) {
        FusedCheck check =
            new FusedCheck("rms norm " + List.of(shape[0], shape[1]) + (residual ? " + r" : ""))
                .variable("x", shape)
                .variable("gain", shape[1]);
        if (residual) {
          check.variable("residual", shape);
        }
        check.run(
            (sd, in, kernelMode) ->
                RmsNormOps.apply(
                    in.get("x"), in.get("residual"), in.get("gain"), 1e-5, kernelMode));
      }
    }
  }

  /** Numbers of all magnitudes, and from the range where the activations bend. */
  private static INDArray bend(long... shape) {
    INDArray x = FusedCheck.normal(5, shape).mul(4);
    float[] edges = {0f, -0f, 1e-40f, -1e-40f, 3e-7f, 13, -13, 40, -40, 1e4f, -1e4f};
    for (int i = 0; i < edges.length && i < x.length(); i++) {
      x.putScalar(i, edges[i]);
    }
    return x;
  }

  @Test
  void gelu() {
    for (long[] shape : SHAPES) {
      new FusedCheck("gelu " + List.of(shape[0], shape[1]))
          .variable("x", bend(shape))
          .run((sd, in, kernelMode) -> Gelu.exact(in.get("x"), kernelMode));
      new FusedCheck("gelu tanh " + List.of(shape[0], shape[1]))
          .variable("x", bend(shape))
          .run((sd, in, kernelMode) -> Gelu.tanh(in.get("x"), kernelMode));
    }
  }

  /** Errors are relative to the result if it is normal; infinities give limits, NaN gives NaN. */
  @Test
  void geluOfAnyFloat() {
    float worst = 0;
    int n = 4096;
    float[] x = new float[n];
    float[] y = new float[n];
    for (float start = -8; start < 8; start += 0.5f) {
      for (int i = 0; i < n; i++) {
        x[i] = start + i * (0.5f / n);
      }
      ActivationKernel.GELU.forward(x, y, n);
      INDArray exact = Gelu.exact(constant(x)).eval();
      for (int i = 0; i < n; i++) {
        worst = Math.max(worst, (float) Math.abs(exact.getDouble(i) - y[i]));
      }
    }
    System.out.printf("gelu: largest absolute error on -8..8 %.1e%n", worst);
    assertTrue(worst < 5e-7, "error " + worst); // one unit in the last place of 8
    float[] odd = {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN, 1e38f, -1e38f};
    for (ActivationKernel rectifier : ActivationKernel.values()) {
      rectifier.forward(odd, y, odd.length);
      assertArrayEquals(
          new float[] {Float.POSITIVE_INFINITY, 0, Float.NaN, 1e38f, 0},
          java.util.Arrays.copyOf(y, odd.length),
          0f);
      rectifier.slope(odd, y, odd.length);
      assertArrayEquals(
          new float[] {1, 0, Float.NaN, 1, 0}, java.util.Arrays.copyOf(y, odd.length), 0f);
    }
  }

  private static SDVariable constant(float[] values) {
    return SameDiff.create().constant(Nd4j.createFromArray(values).castTo(DataType.DOUBLE));
  }

  @Test
  void gatedLinearUnits() {
    for (long[] shape : SHAPES) {
      gated("swiglu", shape, GatedLinearUnit::swiGlu);
      gated("geglu", shape, GatedLinearUnit::geGlu);
      gated("geglu, tanh", shape, GatedLinearUnit::geGluTanh);
    }
  }

  private interface Gated {
    SDVariable apply(SDVariable gate, SDVariable up, KernelMode kernelMode);
  }

  private static void gated(String name, long[] shape, Gated unit) {
    new FusedCheck(name + " " + List.of(shape[0], shape[1]))
        .variable("gate", bend(shape))
        .variable("up", shape)
        .run((sd, in, kernelMode) -> unit.apply(in.get("gate"), in.get("up"), kernelMode));
  }

  @Test
  void softCap() {
    for (long[] shape : SHAPES) {
      new FusedCheck("soft cap " + List.of(shape[0], shape[1]))
          .variable("x", shape)
          .run((sd, in, kernelMode) -> SoftCap.apply(in.get("x"), 0.7, 1.5, kernelMode));
    }
  }

  @Test
  void residual() {
    for (long[] shape : SHAPES) {
      new FusedCheck("residual " + List.of(shape[0], shape[1]))
          .variable("x", shape)
          .variable("y", shape)
          .run((sd, in, kernelMode) -> Residual.apply(in.get("x"), in.get("y"), kernelMode));
    }
    new FusedCheck("residual of a value and itself")
        .variable("x", 3, 5)
        .run((sd, in, kernelMode) -> Residual.apply(in.get("x"), in.get("x"), kernelMode));
  }

  @Test
  void rotation() {
    for (int[] s : new int[][] {{1, 1, 2}, {3, 2, 4}, {5, 3, 14}, {37, 6, 64}, {700, 2, 16}}) {
      INDArray angles = FusedCheck.normal(3, s[0], s[2] / 2).mul(10);
      new FusedCheck("rotation " + List.of(s[0], s[1], s[2]))
          .variable("x", s[0], (long) s[1] * s[2])
          .constant("cos", Transforms.cos(angles))
          .constant("sin", Transforms.sin(angles))
          .run(
              (sd, in, kernelMode) ->
                  Rotation.apply(
                      in.get("x"), in.get("cos"), in.get("sin"), s[1], s[2], kernelMode));
    }
  }

  @Test
  void rotationByTooFewAngles() {
    FusedRotation op = new FusedRotation();
    op.addIArgument(0);
    INDArray x = FusedCheck.normal(1, 3, 8);
    INDArray angles = FusedCheck.normal(2, 2, 2);
    List<INDArray> inputs = List.of(x, angles, angles);
    assertThrows(IllegalArgumentException.class, () -> op.run(inputs, List.of(x)));
  }

  @Test
  void exponential() {
    float[] x = {0, 1, -1, 10, -87, 88, -87.9f, -1e9f, Float.NEGATIVE_INFINITY, Float.NaN};
    float[] y = x.clone();
    Exp.inPlace(y, y.length);
    for (int i = 0; i < x.length; i++) {
      double exact = x[i] < -87.5 ? 0 : Math.exp(x[i]);
      assertEquals(exact, y[i], Double.isNaN(exact) ? 0 : exact * 2e-7 + 1e-300);
    }
  }

  /** Masks some keys, but never a whole row. */
  private static INDArray bias(long batch, long queries, long keys) {
    INDArray mask = FusedCheck.normal(8, batch, 1, queries, keys).gt(0).castTo(DataType.INT32);
    for (long b = 0; b < batch; b++) {
      for (long q = 0; q < queries; q++) {
        mask.putScalar(new long[] {b, 0, q, q % keys}, 1);
      }
    }
    return mask.castTo(DataType.FLOAT).sub(1).mul(1e9);
  }

  @Test
  void maskedSoftmax() {
    long[][] shapes = {{1, 1, 1, 1}, {2, 3, 1, 7}, {2, 2, 3, 8}, {3, 2, 5, 33}, {2, 3, 40, 384}};
    for (long[] s : shapes) {
      for (long queries : new long[] {1, s[2]}) {
        new FusedCheck("softmax " + List.of(s[0], s[1], s[2], s[3]) + ", mask of " + queries)
            .variable("scores", FusedCheck.normal(1, s).mul(5))
            .constant("bias", bias(s[0], queries, s[3]))
            .run(
                (sd, in, kernelMode) ->
                    MaskedSoftmax.apply(in.get("scores"), 0.3, in.get("bias"), kernelMode));
      }
    }
    INDArray mask = Nd4j.createFromArray(0, 0, 0, 0, 1, 0).reshape(2, 1, 1, 3);
    SDVariable bias = MaskedSoftmax.bias(SameDiff.create().constant(mask), DataType.FLOAT);
    new FusedCheck("softmax, a sequence without keys")
        .variable("scores", 2, 2, 3, 3)
        .constant("bias", bias.eval())
        .run(
            (sd, in, kernelMode) ->
                MaskedSoftmax.apply(in.get("scores"), 0.3, in.get("bias"), kernelMode));
  }

  /** Includes rows whose exponentials would be too large or too small for a float. */
  @Test
  void softmaxFarFromZero() {
    INDArray places = Nd4j.createFromArray(0f, 33, 36, 84, 87, 200, 3e4f, -34, -90, -3e4f);
    INDArray scores = FusedCheck.normal(1, 2, 1, 10, 37).mul(2).add(places.reshape(1, 1, 10, 1));
    scores.putScalar(3, -120); // far from the rest of its row
    scores.putScalar(40, Float.NEGATIVE_INFINITY);
    new FusedCheck("softmax far from zero")
        .variable("scores", scores)
        .constant("bias", bias(2, 10, 37))
        .run(
            (sd, in, kernelMode) ->
                MaskedSoftmax.apply(in.get("scores"), 1, in.get("bias"), kernelMode));
  }

  @Test
  void softmaxWithNaN() {
    INDArray scores = FusedCheck.normal(1, 1, 1, 2, 4);
    scores.putScalar(1, Double.NaN);
    FusedSoftmax op = new FusedSoftmax();
    op.addTArgument(1.0);
    op.run(List.of(scores, Nd4j.zeros(DataType.FLOAT, 1, 1, 1, 4)), List.of(scores));
    for (int i = 0; i < 4; i++) {
      assertTrue(Float.isNaN(scores.getFloat(i)));
    }
    assertEquals(
        1,
        scores
            .get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(1))
            .sumNumber()
            .doubleValue(),
        1e-6);
  }

  @Test
  void joinTokens() {
    for (long[] s : new long[][] {{1, 1, 1, 1}, {3, 2, 4, 7}, {2, 5, 1, 384}}) {
      new FusedCheck("join tokens " + List.of(s[0], s[1], s[2], s[3]))
          .variable("selected", s[0] * s[1], s[3])
          .constant("frozen", FusedCheck.normal(2, s[0] * s[2], s[3]))
          .constant("positions", Nd4j.zeros(DataType.INT32, s[0], s[1]))
          .run(
              (sd, in, kernelMode) ->
                  JoinTokens.apply(
                      in.get("selected"), in.get("frozen"), in.get("positions"), kernelMode));
    }
  }

  @Test
  void joinTokensDetachesFrozenTokens() {
    for (KernelMode kernelMode : KernelMode.values()) {
      SameDiff sd = SameDiff.create();
      SDVariable selected = sd.var("s", FusedCheck.normal(1, 4, 3));
      SDVariable frozen = sd.var("f", FusedCheck.normal(2, 6, 3));
      SDVariable positions = sd.constant(Nd4j.zeros(DataType.INT32, 2, 2));
      JoinTokens.apply(selected, frozen, positions, kernelMode).sum().markAsLoss();
      sd.createGradFunction();
      assertNotNull(sd.getVariable("s").gradient());
      assertNull(sd.getVariable("f").gradient());
    }
  }

  @Test
  void gather() {
    for (long[] shape : SHAPES) {
      int rows = (int) shape[0];
      int[] ids = {0, rows - 1, rows / 2, 0, rows / 2, rows / 2, rows - 1, rows / 3};
      new FusedCheck("gather " + List.of(shape[0], shape[1]))
          .variable("table", shape)
          .constant("ids", Nd4j.createFromArray(ids))
          .run(
              (sd, in, kernelMode) -> TokenGather.rows(in.get("table"), in.get("ids"), kernelMode));
    }
  }

  @Test
  void softmaxCrossEntropy() {
    for (int[] s : new int[][] {{1, 1}, {1, 7}, {5, 2}, {9, 33}, {40, 384}, {6, 2500}}) {
      int[] labels = new int[s[0]];
      for (int i = 0; i < labels.length; i++) {
        labels[i] = i % 3 == 1 ? Losses.IGNORED : (i * 5 + 1) % s[1];
      }
      // With one class, both forms round a gradient of 0 in their own ways.
      for (int variant = 0; variant < (s[1] == 1 ? 2 : 4); variant++) {
        boolean weighted = variant % 2 == 1;
        double smoothing = variant < 2 ? 0 : 0.1;
        new FusedCheck(
                "cross entropy "
                    + List.of(s[0], s[1])
                    + (weighted ? ", weighted" : "")
                    + (smoothing > 0 ? ", smoothed" : ""))
            .variable("logits", FusedCheck.normal(1, s[0], s[1]).mul(3))
            .constant("labels", Nd4j.createFromArray(labels))
            .constant("weights", FusedCheck.normal(2, s[1]).mul(0.2).add(1))
            .run(
                (sd, in, kernelMode) ->
                    Losses.softmaxCrossEntropy(
                        in.get("logits"),
                        s[1],
                        in.get("labels"),
                        weighted ? in.get("weights") : null,
                        smoothing,
                        kernelMode));
      }
    }
    new FusedCheck("cross entropy, 1000 apart")
        .variable("logits", Nd4j.createFromArray(new float[][] {{1000, -1000}, {-500, 500}}))
        .constant("labels", Nd4j.createFromArray(1, 1))
        .run(FusedOpsTest::crossEntropy);
    new FusedCheck("cross entropy, a confident row")
        .variable("logits", Nd4j.createFromArray(new float[][] {{30.3f, 25.1f}}))
        .constant("labels", Nd4j.createFromArray(0))
        .tolerance(2e-5) // loss and gradient are 0.0055, the probability itself a float near 1
        .run(FusedOpsTest::crossEntropy);
    new FusedCheck("cross entropy, no labels")
        .variable("logits", 3, 2)
        .constant("labels", Nd4j.createFromArray(-100, -100, -100))
        .run(FusedOpsTest::crossEntropy);
  }

  @Test
  void vocabularyLoss() {
    for (int[] s : new int[][] {{2, 3, 5}, {5, 8, 7}, {9, 16, 100}, {33, 24, 2500}}) {
      for (int slice : new int[] {1, 7, 64, 4096}) {
        if (s[2] / slice < 40) {
          int[] labels = new int[s[0]];
          for (int i = 0; i < labels.length; i++) {
            labels[i] = i % 3 == 1 ? Losses.IGNORED : (i * 31 + 5) % s[2];
          }
          new FusedCheck("vocabulary loss " + List.of(s[0], s[1], s[2]) + " by " + slice)
              .variable("rows", s[0], s[1])
              .variable("table", s[2], s[1])
              .constant("labels", Nd4j.createFromArray(labels))
              .run((sd, in, kernelMode) -> vocabularyLoss(in, slice, kernelMode));
        }
      }
    }
    for (int slice : new int[] {2, 9, 16}) {
      new FusedCheck("vocabulary loss with a bias, slices of " + slice)
          .variable("rows", 5, 4)
          .variable("table", 9, 4)
          .variable("bias", FusedCheck.normal(6, 9))
          .constant("labels", Nd4j.createFromArray(0, -100, 8, 3, 3))
          .run((sd, in, kernelMode) -> vocabularyLoss(in, slice, kernelMode));
    }
    new FusedCheck("vocabulary loss, no labels")
        .variable("rows", 3, 4)
        .variable("table", 9, 4)
        .constant("labels", Nd4j.createFromArray(-100, -100, -100))
        .run((sd, in, kernelMode) -> vocabularyLoss(in, 4, kernelMode));
    new FusedCheck("vocabulary loss, logits 1000 apart")
        .variable("rows", FusedCheck.normal(3, 4, 8).mul(100))
        .variable("table", FusedCheck.normal(4, 9, 8).mul(5))
        .constant("labels", Nd4j.createFromArray(1, 8, 0, 5))
        .run((sd, in, kernelMode) -> vocabularyLoss(in, 2, kernelMode));
  }

  private static SDVariable vocabularyLoss(
      Map<String, SDVariable> in, int slice, KernelMode kernelMode) {
    SDVariable rows = in.get("rows");
    SDVariable table = in.get("table");
    if (kernelMode == KernelMode.FUSED) {
      return VocabularyLoss.apply(rows, Table.of(table), in.get("bias"), in.get("labels"), slice);
    }
    SDVariable logits = rows.getSameDiff().mmul(rows, table, false, true, false);
    if (in.containsKey("bias")) {
      logits = logits.add(in.get("bias"));
    }
    int words = (int) table.getShape()[0];
    return Losses.softmaxCrossEntropy(logits, words, in.get("labels"), null, 0, kernelMode);
  }

  private static SDVariable crossEntropy(
      SameDiff sd, Map<String, SDVariable> in, KernelMode kernelMode) {
    return Losses.softmaxCrossEntropy(in.get("logits"), 2, in.get("labels"), null, 0, kernelMode);
  }

  @Test
  void binaryCrossEntropy() {
    for (long[] shape : SHAPES) {
      INDArray labels = FusedCheck.normal(2, shape).gt(0).castTo(DataType.FLOAT);
      new FusedCheck("binary cross entropy " + List.of(shape[0], shape[1]))
          .variable("logits", FusedCheck.normal(1, shape).mul(3))
          .constant("labels", labels)
          .run(FusedOpsTest::binaryCrossEntropy);
      new FusedCheck("binary cross entropy, soft " + List.of(shape[0], shape[1]))
          .variable("logits", FusedCheck.normal(1, shape).mul(3))
          .constant("labels", labels.mul(0.8).add(0.1))
          .run(FusedOpsTest::binaryCrossEntropy);
    }
    new FusedCheck("binary cross entropy, large logits")
        .variable("logits", Nd4j.createFromArray(new float[][] {{200, -200}, {20, -20}, {0, -0f}}))
        .constant("labels", Nd4j.createFromArray(new float[][] {{0, 1}, {1, 0}, {1, 0}}))
        .run(FusedOpsTest::binaryCrossEntropy);
    new FusedCheck("binary cross entropy, confident rows")
        .variable("logits", Nd4j.createFromArray(new float[][] {{12, -12}}))
        .constant("labels", Nd4j.createFromArray(new float[][] {{1, 0}}))
        .run(FusedOpsTest::binaryCrossEntropy);
  }

  private static SDVariable binaryCrossEntropy(
      SameDiff sd, Map<String, SDVariable> in, KernelMode kernelMode) {
    return Losses.binaryCrossEntropy(in.get("logits"), in.get("labels"), kernelMode);
  }

  @Test
  void meanSquaredError() {
    for (long[] shape : new long[][] {{1}, {7}, {3, 8}, {700, 33}}) {
      new FusedCheck("mean squared error " + shape[0])
          .variable("predictions", shape)
          .constant("targets", FusedCheck.normal(2, shape))
          .run(
              (sd, in, kernelMode) ->
                  Losses.meanSquaredError(in.get("predictions"), in.get("targets"), kernelMode));
    }
  }

  @Test
  void meanLossesRejectDifferentShapes() {
    Exception e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new FusedMeanLoss().outputShapes(List.of(new long[] {2, 3}, new long[] {3})));
    assertEquals("predictions [2, 3] and targets [3] differ in shape", e.getMessage());
  }

  @Test
  void dropout() {
    for (double rate : new double[] {0.1, 0.5, 0.9}) {
      for (int seed : new int[] {0, 7, -123456789}) {
        for (long[] s : SHAPES) {
          checkDropout(rate, seed, numbers(s[0], 1), numbers(1, s[1]), s);
        }
        checkDropout(rate, seed, numbers(2, 3, 5, 1), numbers(2, 1, 1, 33), 2, 3, 5, 33);
        checkDropout(rate, seed, numbers(2, 3, 5, 1), numbers(1, 1, 1, 33), 2, 3, 5, 33);
      }
    }
  }

  private static INDArray numbers(long... shape) {
    return FusedCheck.normal(6, shape).mul(1000).castTo(DataType.INT32);
  }

  private static void checkDropout(
      double rate, int seed, INDArray rows, INDArray columns, long... shape) {
    SameDiff sd = SameDiff.create();
    SDVariable ones = sd.constant(Nd4j.ones(DataType.FLOAT, shape));
    INDArray mask =
        Dropout.apply(
                ones,
                rate,
                sd.constant(rows),
                sd.constant(columns),
                sd.constant(Nd4j.scalar(seed)),
                -77,
                KernelMode.NATIVE)
            .eval();
    Map<String, INDArray> results =
        new FusedCheck("dropout")
            .variable("x", Nd4j.ones(DataType.FLOAT, shape))
            .constant("rows", rows)
            .constant("columns", columns)
            .constant("seed", Nd4j.scalar(seed))
            .outputShape(shape)
            .fused(
                (graph, in, kernelMode) ->
                    Dropout.apply(
                        in.get("x"),
                        rate,
                        in.get("rows"),
                        in.get("columns"),
                        in.get("seed"),
                        -77,
                        kernelMode));
    assertSameBits(mask, results.get("output"));
    assertSameBits(mask.mul(FusedCheck.normal(99, shape)), results.get("x"));
  }

  private static SDVariable norm(SameDiff sd, Map<String, SDVariable> in, KernelMode kernelMode) {
    return LayerNormOps.apply(
        in.get("x"), in.get("residual"), in.get("gain"), in.get("bias"), 1e-5, kernelMode);
  }
}
