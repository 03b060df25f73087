package org.tokentune.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.ops.GradientCheck.check;
import static org.tokentune.ops.GradientCheck.normal;
import static org.tokentune.testing.SameBits.areSame;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.BadDataException;
import org.tokentune.BadSettingsException;

/**
 * Checks every op: values against the formula, gradients against central differences, also cloned,
 * saved and loaded.
 */
class OpsTest {

  private static final Map<String, INDArray> NONE = Map.of();

  private final SameDiff sd = SameDiff.create();

  private SDVariable variable(long seed, long... shape) {
    return sd.var("x" + seed, normal(seed, shape));
  }

  @Test
  void gatherAccumulatesRepeatedRows() {
    SDVariable ids = sd.constant("ids", Nd4j.createFromArray(2, 0, 2, 2, 4));
    SDVariable out = TokenGather.rows(variable(1, 5, 3), ids);
    assertArrayEquals(new long[] {5, 3}, out.eval().shape());
    check("token_gather, repeated ids", out, NONE);
  }

  @Test
  void gatherGradientIsThreadSafe() {
    int rows = 5000;
    INDArray ids = Nd4j.arange(rows).castTo(DataType.INT32).fmod(2).castTo(DataType.INT32);
    SDVariable table = sd.var("table", Nd4j.zeros(DataType.FLOAT, 2, 32));
    TokenGather.rows(table, sd.constant("ids", ids)).sum().markAsLoss();
    INDArray expected = Nd4j.valueArrayOf(new long[] {2, 32}, rows / 2f, DataType.FLOAT);
    for (int i = 0; i < 50; i++) {
      assertSameBits(expected, sd.calculateGradients(NONE, "table").get("table"));
    }
  }

  @Test
  void gatherRoutesTokens() {
    SDVariable x = variable(1, 2, 4, 3);
    SDVariable positions = sd.placeHolder("p", DataType.INT32, -1, -1);
    INDArray p = Nd4j.createFromArray(new int[][] {{0, 3}, {1, 1}});
    SDVariable out = TokenGather.tokens(x, positions);
    INDArray rows = sd.outputSingle(Map.of("p", p), out.name());
    INDArray source = x.getArr();
    assertEquals(source.getDouble(0, 3, 1), rows.getDouble(1, 1));
    assertEquals(source.getDouble(1, 1, 2), rows.getDouble(3, 2));
    check("token_gather, [batch, length, hidden]", out, Map.of("p", p));
  }

  @Test
  void gatherRoutesIds() {
    SDVariable ids = sd.constant("ids", Nd4j.createFromArray(new int[][] {{7, 8, 9}, {4, 5, 6}}));
    SDVariable p = sd.constant("p", Nd4j.createFromArray(new int[][] {{0, 2}, {1, 2}}));
    assertSameBits(Nd4j.createFromArray(7, 9, 5, 6), TokenGather.tokens(ids, p).eval());
  }

  @ParameterizedTest
  @CsvSource({"3,INT", "3,LONG", "2,INT", "4,LONG"})
  void gatherRoutesComputedTokens(int rank, DataType type) {
    long[] shape = Arrays.copyOf(new long[] {2, 4, 3, 2}, rank);
    SDVariable x = variable(1, shape).mul(2).add(1);
    assertNull(x.getShape());
    SDVariable positions = sd.placeHolder("p", type, -1, -1);
    INDArray p = Nd4j.createFromArray(new int[][] {{3, 0}, {1, 1}}).castTo(type);
    SDVariable out = TokenGather.tokens(x, positions);
    INDArray rows = sd.outputSingle(Map.of("p", p), out.name());
    long[] expected = new long[rank - 1];
    expected[0] = 4;
    System.arraycopy(shape, 2, expected, 1, rank - 2);
    assertArrayEquals(expected, rows.shape());
    INDArray source = x.eval();
    assertSameBits(source.slice(0).slice(3).reshape(-1), rows.slice(0).reshape(-1));
    assertSameBits(source.slice(1).slice(1).reshape(-1), rows.slice(2).reshape(-1));
    check("token_gather, computed, rank " + rank + ", " + type, out, Map.of("p", p));
  }

  @Test
  void gatherPads() {
    SDVariable x = variable(1, 2, 4, 3).mul(3);
    SDVariable positions = sd.placeHolder("p", DataType.INT32, -1, -1);
    INDArray p = Nd4j.createFromArray(new int[][] {{0, -1}, {-1, 2}});
    SDVariable out = TokenGather.paddedTokens(x, positions);
    INDArray rows = sd.outputSingle(Map.of("p", p), out.name());
    assertSameBits(x.eval().slice(1).slice(2), rows.slice(3));
    assertEquals(0, rows.get(NDArrayIndex.interval(1, 3)).norm1Number().doubleValue());
    check("token_gather, padding", out, Map.of("p", p));
  }

  /** Also those that are a valid row of another sequence. */
  @ParameterizedTest
  @ValueSource(ints = {4, -1, -2, 5, 7, 8, -5, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void gatherRejectsPositionsOutsideTheSequence(int position) {
    SDVariable x = variable(1, 2, 4, 3);
    SDVariable positions = sd.placeHolder("p", DataType.INT32, -1, -1);
    INDArray p = Nd4j.createFromArray(new int[][] {{0, 1}, {2, position}});
    List<SDVariable> outs =
        position == -1
            ? List.of(TokenGather.tokens(x, positions))
            : List.of(TokenGather.tokens(x, positions), TokenGather.paddedTokens(x, positions));
    for (SDVariable out : outs) {
      String message =
          assertThrows(BadDataException.class, () -> sd.outputSingle(Map.of("p", p), out.name()))
              .getMessage();
      String hint = out.name().equals(outs.get(0).name()) ? "." : ", or -1 for padding.";
      assertEquals(
          "p[1, 1] is "
              + position
              + ", but the sequences of x1 have the positions 0 to 3; correct it"
              + hint,
          message);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {5, -1, Long.MAX_VALUE, 1L << 32})
  void gatherRejectsRowsOutsideTheTable(long id) {
    SDVariable ids = sd.placeHolder("ids", DataType.INT64, -1);
    SDVariable out = TokenGather.rows(variable(1, 5, 3), ids);
    out.sum().markAsLoss();
    String message =
        assertThrows(
                BadDataException.class,
                () -> sd.calculateGradients(Map.of("ids", Nd4j.createFromArray(0L, id)), "x1"))
            .getMessage();
    assertEquals(
        "ids[1] is " + id + ", but the table x1 has the rows 0 to 4; correct it.", message);
  }

  /** In a virtual machine that has not built a graph with these ops. */
  @Test
  void graphsLoadInAFreshVirtualMachine(@TempDir Path folder) throws Exception {
    SDVariable positions = sd.placeHolder("p", DataType.INT32, -1, -1);
    SDVariable computed = variable(1, 2, 4, 3).mul(2);
    TokenGather.tokens(computed, positions).mul(3).sum().rename("loss");
    sd.setLossVariables("loss");
    Path file = folder.resolve("graph.fb");
    sd.save(file.toFile(), false);
    assertEquals("24.0 6.0", fresh(file, "ops")); // 4 rows with a slope of 6 in each column
    String refused = fresh(file, "samediff");
    assertTrue(refused.contains("No op known for hash: 0 and name "), refused);
  }

  private static String fresh(Path file, String loader) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                FreshMachine.class.getName(),
                file.toString(),
                loader)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return printed.lines().reduce((first, last) -> last).orElse("");
  }

  /** What {@link #fresh} runs. */
  static final class FreshMachine {

    private FreshMachine() {}

    public static void main(String[] arguments) {
      Path file = Path.of(arguments[0]);
      try {
        SameDiff loaded =
            arguments[1].equals("ops")
                ? Ops.load(file, false)
                : SameDiff.load(file.toFile(), false);
        INDArray p = Nd4j.createFromArray(new int[][] {{0, 0}, {3, 1}});
        INDArray gradient = loaded.calculateGradients(Map.of("p", p), "x1").get("x1");
        System.out.println(gradient.sum(0, 1).getDouble(0) + " " + gradient.getDouble(1, 3, 0));
      } catch (RuntimeException e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
          cause = cause.getCause();
        }
        System.out.println(cause.getMessage());
      }
    }
  }

  @Test
  void gatherRejectsFractionalIds() {
    SDVariable ids = sd.constant("ids", Nd4j.createFromArray(0.5f, 1));
    String message =
        assertThrows(BadSettingsException.class, () -> TokenGather.rows(variable(1, 5, 3), ids))
            .getMessage();
    assertEquals("ids must be INT32 or INT64, but ids is FLOAT.", message);
  }

  @Test
  void detachCutsTheGradient() {
    SDVariable x = variable(1, 2, 3);
    SDVariable y = variable(2, 2, 3);
    SDVariable detached = Detach.apply(x);
    assertSameBits(x.getArr(), detached.eval());
    detached.mul(y).sum().markAsLoss();
    assertSameBits(x.getArr(), sd.calculateGradients(NONE, "x2").get("x2"));
    assertNull(sd.getVariable("x1").getGradient());
  }

  @Test
  void layerNorm() {
    SDVariable x = variable(1, 4, 6);
    SDVariable out = LayerNormOps.apply(x, variable(2, 6), variable(3, 6), 1e-12);
    INDArray row = x.getArr().getRow(1).dup();
    INDArray centred = row.sub(row.meanNumber());
    INDArray expected =
        centred
            .div(Math.sqrt(centred.mul(centred).meanNumber().doubleValue() + 1e-12))
            .mul(sd.getVariable("x2").getArr())
            .add(sd.getVariable("x3").getArr());
    assertTrue(expected.equalsWithEps(out.eval().getRow(1), 1e-12));
    check("layer norm", out, NONE);
  }

  @Test
  void layerNormOfAConstantRowIsTheBias() {
    SDVariable x = sd.var("x", Nd4j.ones(DataType.DOUBLE, 2, 4));
    SDVariable out = LayerNormOps.apply(x, variable(2, 4), variable(3, 4), 1e-5);
    assertSameBits(sd.getVariable("x3").getArr(), out.eval().getRow(0));
    check("layer norm, variance 0, epsilon 1e-5", out, NONE);
  }

  @Test
  void layerNormOfOneRow() {
    SDVariable out = LayerNormOps.apply(variable(1, 1, 6), variable(2, 6), variable(3, 6), 1e-5);
    check("layer norm, one row", out, NONE);
  }

  @Test
  void rmsNorm() {
    SDVariable x = variable(1, 4, 6);
    SDVariable gain = variable(2, 6);
    SDVariable out = RmsNormOps.apply(x, null, gain, 1e-5, KernelMode.NATIVE);
    INDArray row = x.getArr().getRow(1);
    double root = Math.sqrt(row.mul(row).meanNumber().doubleValue() + 1e-5);
    assertTrue(row.div(root).mul(gain.getArr()).equalsWithEps(out.eval().getRow(1), 1e-12));
    check("rms norm", out, NONE);
  }

  @Test
  void rmsNormOfOneRow() {
    SDVariable out =
        RmsNormOps.apply(variable(1, 1, 6), null, variable(2, 6), 1e-5, KernelMode.NATIVE);
    check("rms norm, one row", out, NONE);
  }

  @Test
  void rotation() {
    SDVariable x = variable(1, 3, 8); // two heads of 4
    INDArray angles = normal(2, 3, 2);
    SDVariable cos = sd.math().cos(sd.constant("angles", angles));
    SDVariable sin = sd.math().sin(sd.getVariable("angles"));
    SDVariable out = Rotation.apply(x, cos, sin, 2, 4, KernelMode.NATIVE);
    double[][] expected = new double[3][8];
    for (int row = 0; row < 3; row++) {
      for (int i = 0; i < 8; i++) {
        double angle = angles.getDouble(row, i % 2);
        boolean first = i % 4 < 2;
        double other = x.getArr().getDouble(row, first ? i + 2 : i - 2);
        expected[row][i] =
            x.getArr().getDouble(row, i) * Math.cos(angle)
                + (first ? -other : other) * Math.sin(angle);
      }
    }
    assertTrue(Nd4j.createFromArray(expected).equalsWithEps(out.eval(), 1e-12));
    check("rotation", out, NONE);
  }

  @Test
  void residual() {
    SDVariable out = Residual.apply(variable(1, 3, 4), variable(2, 3, 4), KernelMode.NATIVE);
    check("residual", out, NONE);
  }

  @Test
  void exactGelu() {
    SDVariable x = sd.var("x", Nd4j.createFromArray(-3.0, -1.0, 0.0, 0.5, 3.0));
    // x * Phi(x), from tables of the normal distribution
    double[] expected = {-0.00404969, -0.15865525, 0, 0.34573123, 2.99595031};
    assertArrayEquals(expected, Gelu.exact(x).eval().toDoubleVector(), 1e-8);
    check("gelu, exact", Gelu.exact(x), NONE);
  }

  @Test
  void tanhGelu() {
    SDVariable x = sd.var("x", Nd4j.createFromArray(-3.0, -1.0, 0.0, 0.5, 3.0));
    double[] expected = new double[5];
    for (int i = 0; i < 5; i++) {
      double v = x.getArr().getDouble(i);
      expected[i] = v / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)));
    }
    assertArrayEquals(expected, Gelu.tanh(x).eval().toDoubleVector(), 1e-12);
    check("gelu, tanh", Gelu.tanh(x), NONE);
  }

  @Test
  void maskedSoftmax() {
    INDArray open = Nd4j.createFromArray(1, 1, 0, 1, 1, 1).reshape(2, 1, 1, 3);
    SDVariable bias = MaskedSoftmax.bias(sd.constant("mask", open), DataType.DOUBLE);
    SDVariable scores = variable(1, 2, 2, 2, 3);
    SDVariable out = MaskedSoftmax.apply(scores, 0.5, bias);
    INDArray weights = out.eval();
    assertEquals(0, weights.getDouble(0, 1, 1, 2));
    double a = Math.exp(0.5 * scores.getArr().getDouble(0, 1, 1, 0));
    double b = Math.exp(0.5 * scores.getArr().getDouble(0, 1, 1, 1));
    assertEquals(a / (a + b), weights.getDouble(0, 1, 1, 0), 1e-12);
    check("masked softmax", out, NONE);
  }

  @Test
  void biasOfAPerQueryMask() {
    int[] open = {1, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1};
    SDVariable mask = sd.constant("mask", Nd4j.createFromArray(open).reshape(2, 1, 3, 3));
    double m = -1e9;
    double[] expected = {0, m, m, 0, 0, m, 0, 0, 0, 0, 0, 0, m, 0, m, m, 0, 0};
    INDArray bias = MaskedSoftmax.bias(mask, DataType.DOUBLE).eval();
    assertSameBits(Nd4j.createFromArray(expected).reshape(2, 1, 3, 3), bias);
  }

  @Test
  void maskedSoftmaxWithoutKeysIsThePlainSoftmax() {
    SDVariable mask = sd.constant("mask", Nd4j.zeros(DataType.INT32, 1, 1, 1, 3));
    SDVariable scores = variable(1, 1, 2, 2, 3);
    SDVariable out = MaskedSoftmax.apply(scores, 0.5, MaskedSoftmax.bias(mask, DataType.DOUBLE));
    assertSameBits(sd.nn().softmax(scores.mul(0.5), -1).eval(), out.eval());
    check("masked softmax, no keys", out, NONE);
  }

  @Test
  void softmaxCrossEntropy() {
    SDVariable logits = variable(1, 4, 3);
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(2, -100, 0, 1));
    SDVariable weights = sd.constant("weights", Nd4j.createFromArray(0.5, 2.0, 3.0));
    SDVariable plain = Losses.softmaxCrossEntropy(logits, 3, labels, null);
    SDVariable weighted = Losses.softmaxCrossEntropy(logits, 3, labels, weights);
    int[] label = {2, -100, 0, 1};
    double[] w = {0.5, 2, 3};
    double sum = 0;
    double weightedSum = 0;
    for (int r : new int[] {0, 2, 3}) {
      INDArray row = logits.getArr().getRow(r);
      double z = 0;
      for (int c = 0; c < 3; c++) {
        z += Math.exp(row.getDouble(c));
      }
      double nll = Math.log(z) - row.getDouble(label[r]);
      sum += nll;
      weightedSum += nll * w[label[r]];
    }
    assertEquals(sum / 3, plain.eval().getDouble(0), 1e-12);
    assertEquals(weightedSum / (3 + 0.5 + 2), weighted.eval().getDouble(0), 1e-12);
    check("cross entropy, ignored row, class weights", plain.add(weighted), NONE);
  }

  /**
   * {@code torch.nn.CrossEntropyLoss(weight, label_smoothing=0.1)}: PyTorch divides both parts by
   * the sum of the weights of the labels.
   */
  @Test
  void smoothedCrossEntropy() {
    SDVariable logits = variable(1, 4, 3);
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(2, -100, 0, 1));
    SDVariable weights = sd.constant("weights", Nd4j.createFromArray(0.5, 2.0, 3.0));
    SDVariable plain = Losses.softmaxCrossEntropy(logits, 3, labels, null, 0.1);
    SDVariable weighted = Losses.softmaxCrossEntropy(logits, 3, labels, weights, 0.1);
    int[] label = {2, -100, 0, 1};
    double[] w = {0.5, 2, 3};
    double sum = 0;
    double weightedSum = 0;
    for (int r : new int[] {0, 2, 3}) {
      INDArray row = logits.getArr().getRow(r);
      double z = Math.log(IntStream.range(0, 3).mapToDouble(c -> Math.exp(row.getDouble(c))).sum());
      for (int c = 0; c < 3; c++) {
        double loss = z - row.getDouble(c);
        double share = 0.1 / 3 + (c == label[r] ? 0.9 : 0);
        sum += share * loss;
        weightedSum += share * w[c] * loss;
      }
    }
    assertEquals(sum / 3, plain.eval().getDouble(0), 1e-12);
    assertEquals(weightedSum / (3 + 0.5 + 2), weighted.eval().getDouble(0), 1e-12);
    check("cross entropy, label smoothing, class weights", plain.add(weighted), NONE);
  }

  /**
   * By the formula, in PyTorch with {@code nll = F.cross_entropy(x, y, weight=w, reduction="none")}
   * and {@code p = softmax(x)[y]}: {@code ((1 - p)**gamma * nll).sum() / w[y].sum()}; and with a
   * gamma of 0, cross entropy.
   */
  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1, 2, 5})
  void focalLoss(double gamma) {
    SDVariable logits = variable(1, 4, 3);
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(2, -100, 0, 1));
    SDVariable weights = sd.constant("weights", Nd4j.createFromArray(0.5, 2.0, 3.0));
    SDVariable plain = Losses.softmaxFocal(logits, 3, labels, null, gamma);
    SDVariable weighted = Losses.softmaxFocal(logits, 3, labels, weights, gamma);
    int[] label = {2, -100, 0, 1};
    double[] w = {0.5, 2, 3};
    double sum = 0;
    double weightedSum = 0;
    for (int r : new int[] {0, 2, 3}) {
      INDArray row = logits.getArr().getRow(r);
      double z = IntStream.range(0, 3).mapToDouble(c -> Math.exp(row.getDouble(c))).sum();
      double p = Math.exp(row.getDouble(label[r])) / z;
      double loss = Math.pow(1 - p, gamma) * -Math.log(p);
      sum += loss;
      weightedSum += loss * w[label[r]];
    }
    assertEquals(sum / 3, plain.eval().getDouble(0), 1e-10);
    assertEquals(weightedSum / (3 + 0.5 + 2), weighted.eval().getDouble(0), 1e-10);
    check("focal loss, class weights", plain.add(weighted), NONE);
  }

  /** torchvision's sigmoid_focal_loss with alpha = w / (1 + w), times 1 + w. */
  @ParameterizedTest
  @ValueSource(doubles = {0.5, 2})
  void focalLossOfSigmoids(double gamma) {
    SDVariable logits = variable(1, 2, 3);
    double[][] y = {{1, 0, 1}, {0, 0, 1}};
    double[] w = {1, 3, 0.5};
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(y));
    SDVariable weights = sd.constant("weights", Nd4j.createFromArray(w));
    double sum = 0;
    for (int i = 0; i < 6; i++) {
      double p = 1 / (1 + Math.exp(-logits.getArr().getDouble(i / 3, i % 3)));
      double applies = y[i / 3][i % 3];
      double alpha = w[i % 3] / (1 + w[i % 3]);
      double right = applies * p + (1 - applies) * (1 - p);
      double share = applies * alpha + (1 - applies) * (1 - alpha);
      sum += (1 + w[i % 3]) * share * Math.pow(1 - right, gamma) * -Math.log(right);
    }
    SDVariable loss = Losses.binaryFocal(logits, labels, weights, gamma);
    assertEquals(sum / 6, loss.eval().getDouble(0), 1e-10);
    check("focal loss of sigmoids", loss, NONE);
  }

  /** Where a float's probability is 1, loss and gradient are 0, not NaN. */
  @Test
  void focalLossOfSureRows() {
    SDVariable logits = sd.var("x", Nd4j.createFromArray(new float[][] {{200, 0}, {-200, 0}}));
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(0, 0));
    Losses.softmaxFocal(logits, 2, labels, null, 0.5).markAsLoss();
    INDArray gradient = sd.calculateGradients(Map.of(), "x").get("x");
    assertEquals(0, gradient.getDouble(0, 0));
    assertEquals(-0.5, gradient.getDouble(1, 0), 1e-6); // of a row that is wrong for sure, over 2
  }

  /** The logits of kornia's issue 918, where the gradients were NaN. */
  @Test
  void focalLossOfSureSigmoids() {
    float[][] x = {{-100, -100, 100, 100}};
    SDVariable logits = sd.var("x", Nd4j.createFromArray(x));
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(new float[][] {{0, 1, 0, 1}}));
    Losses.binaryFocal(logits, labels, null, 0.5).markAsLoss();
    INDArray gradient = sd.calculateGradients(Map.of(), "x").get("x");
    double[] expected = {0, -0.25, 0.25, 0}; // of those that are wrong for sure, over 4
    for (int i = 0; i < 4; i++) {
      assertEquals(expected[i], gradient.getDouble(0, i), 1e-6);
    }
  }

  @Test
  void smoothedCrossEntropyOfRowsWithoutWeightIsZero() {
    SDVariable logits = variable(1, 2, 2);
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(0, -100));
    SDVariable weights = sd.constant("weights", Nd4j.createFromArray(0.0, 1.0));
    SDVariable loss = Losses.softmaxCrossEntropy(logits, 2, labels, weights, 0.1);
    assertEquals(0, loss.eval().getDouble(0));
  }

  @Test
  void softmaxCrossEntropyWithOneHotLabels() {
    SDVariable logits = variable(1, 4, 3);
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(2, -100, 0, 1));
    double[][] marked = {{0, 0, 1}, {0, 0, 0}, {1, 0, 0}, {0, 1, 0}};
    SDVariable loss =
        Losses.softmaxCrossEntropy(logits, sd.constant("marked", Nd4j.createFromArray(marked)));
    double expected = Losses.softmaxCrossEntropy(logits, 3, labels, null).eval().getDouble(0);
    assertEquals(expected, loss.eval().getDouble(0), 1e-12);
    check("cross entropy, one-hot labels", loss, NONE);
  }

  @Test
  void crossEntropyWithoutLabelsIsZero() {
    SDVariable logits = variable(1, 2, 3);
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(-100, -100));
    SDVariable loss = Losses.softmaxCrossEntropy(logits, 3, labels, null);
    assertEquals(0, loss.eval().getDouble(0));
    loss.markAsLoss();
    assertEquals(0, sd.calculateGradients(NONE, "x1").get("x1").amaxNumber().doubleValue());
  }

  @Test
  void crossEntropyIsStable() {
    SDVariable logits =
        sd.var("x", Nd4j.createFromArray(new float[][] {{1000, -1000}, {-500, 500}}));
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(1, 1));
    assertEquals(1000, Losses.softmaxCrossEntropy(logits, 2, labels, null).eval().getFloat(0));
  }

  @Test
  void binaryCrossEntropy() {
    SDVariable logits = variable(1, 3, 2);
    INDArray y = Nd4j.createFromArray(new double[][] {{1, 0}, {0, 0}, {1, 1}});
    SDVariable loss = Losses.binaryCrossEntropy(logits, sd.constant("y", y));
    double sum = 0;
    for (int r = 0; r < 3; r++) {
      for (int c = 0; c < 2; c++) {
        double x = logits.getArr().getDouble(r, c);
        sum += Math.log1p(Math.exp(x)) - y.getDouble(r, c) * x;
      }
    }
    assertEquals(sum / 6, loss.eval().getDouble(0), 1e-12);
    check("binary cross entropy", loss, NONE);
  }

  /** {@code torch.nn.BCEWithLogitsLoss(pos_weight)}. */
  @Test
  void weightedBinaryCrossEntropy() {
    SDVariable logits = variable(1, 3, 2);
    INDArray y = Nd4j.createFromArray(new double[][] {{1, 0}, {0, 0.3}, {1, 1}});
    double[] w = {5, 0.5};
    SDVariable loss =
        Losses.weightedBinaryCrossEntropy(
            logits, sd.constant("y", y), sd.constant("weights", Nd4j.createFromArray(w)));
    double sum = 0;
    for (int r = 0; r < 3; r++) {
      for (int c = 0; c < 2; c++) {
        double x = logits.getArr().getDouble(r, c);
        double applies = y.getDouble(r, c);
        sum += w[c] * applies * Math.log1p(Math.exp(-x)) + (1 - applies) * Math.log1p(Math.exp(x));
      }
    }
    assertEquals(sum / 6, loss.eval().getDouble(0), 1e-12);
    check("binary cross entropy, weights", loss, NONE);
  }

  @Test
  void binaryCrossEntropyIsStable() {
    SDVariable logits = sd.var("x", Nd4j.createFromArray(new float[][] {{200, -200}}));
    SDVariable labels = sd.constant("y", Nd4j.createFromArray(new float[][] {{0, 1}}));
    assertEquals(200, Losses.binaryCrossEntropy(logits, labels).eval().getFloat(0));
  }

  @Test
  void meanSquaredError() {
    SDVariable x = variable(1, 3, 2);
    SDVariable loss =
        Losses.meanSquaredError(x, sd.constant("y", Nd4j.ones(DataType.DOUBLE, 3, 2)));
    INDArray d = x.getArr().sub(1);
    assertEquals(d.mul(d).meanNumber().doubleValue(), loss.eval().getDouble(0), 1e-12);
    check("mean squared error", loss, NONE);
  }

  private SDVariable dropout(
      SDVariable x, double rate, SDVariable seed, int place, int rows, int columns) {
    SDVariable r = sd.constant(Nd4j.arange(rows).castTo(DataType.INT32).reshape(rows, 1));
    SDVariable c = sd.constant(Nd4j.arange(columns).castTo(DataType.INT32).reshape(1, columns));
    return Dropout.apply(x, rate, Dropout.keys(r, seed, place), Dropout.keys(c, seed, place));
  }

  @Test
  void dropoutUsesOneMaskForwardAndBackward() {
    SDVariable seed = sd.placeHolder("seed", DataType.INT32);
    Map<String, INDArray> step = Map.of("seed", Nd4j.scalar(7));
    check("dropout", dropout(variable(1, 6, 5), 0.3, seed, 0, 6, 5), step);
  }

  @Test
  void dropoutHasItsRateAndDiffersBetweenStepsAndPlaces() {
    int n = 512;
    double rate = 0.1;
    SDVariable x = sd.var("x", Nd4j.ones(DataType.FLOAT, n, n));
    SDVariable seed = sd.placeHolder("seed", DataType.INT32);
    SDVariable here = dropout(x, rate, seed, 0, n, n);
    SDVariable there = dropout(x, rate, seed, 1, n, n);
    INDArray first = mask(here, 1);
    assertSameBits(first, mask(here, 1));
    for (INDArray dropped : List.of(first, mask(here, 2), mask(there, 1), mask(here, 123456789))) {
      double mean = dropped.meanNumber().doubleValue();
      double deviation = (mean - rate) / Math.sqrt(rate * (1 - rate) / n / n);
      double rows = worst(dropped.mean(1), rate, n);
      double columns = worst(dropped.mean(0), rate, n);
      System.out.printf(
          "dropout rate %.4f (%.1f sigma), worst row %.1f sigma, worst column %.1f sigma%n",
          mean, deviation, rows, columns);
      assertTrue(Math.abs(deviation) < 4);
      assertTrue(rows < 5 && columns < 5);
    }
    // Independent masks both drop an element with probability rate^2, and so do neighbouring rows
    // and columns of one mask.
    agree("another step", first, mask(here, 2), rate);
    agree("another place", first, mask(there, 1), rate);
    agree("next row", first.get(rows(0, n - 1)), first.get(rows(1, n)), rate);
    INDArray turned = first.transpose().dup();
    agree("next column", turned.get(rows(0, n - 1)), turned.get(rows(1, n)), rate);
  }

  private static org.nd4j.linalg.indexing.INDArrayIndex rows(int from, int to) {
    return org.nd4j.linalg.indexing.NDArrayIndex.interval(from, to);
  }

  /** A mask that is 1 for every dropped element. */
  private INDArray mask(SDVariable dropped, int seed) {
    INDArray out = sd.outputSingle(Map.of("seed", Nd4j.scalar(seed)), dropped.name());
    assertEquals(1 / 0.9f, out.maxNumber().floatValue());
    return out.eq(0).castTo(DataType.FLOAT);
  }

  private static double worst(INDArray means, double rate, int n) {
    return means.sub(rate).amaxNumber().doubleValue() / Math.sqrt(rate * (1 - rate) / n);
  }

  private static void agree(String what, INDArray a, INDArray b, double rate) {
    assertFalse(areSame(a, b));
    double p = rate * rate;
    double both = a.mul(b).meanNumber().doubleValue();
    double sigma = (both - p) / Math.sqrt(p * (1 - p) / a.length());
    System.out.printf(
        "dropout, %s: both dropped %.5f (%.1f sigma from independence)%n", what, both, sigma);
    assertTrue(Math.abs(sigma) < 4, what);
  }
}
