package org.tokentune.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.ops.internal.kernels.DynamicBlocks;
import org.tokentune.ops.internal.optimizers.AdafactorStep;
import org.tokentune.ops.internal.optimizers.AdamW8bitStep;
import org.tokentune.ops.internal.optimizers.AdamWStep;
import org.tokentune.ops.internal.optimizers.GradientScale;
import org.tokentune.ops.internal.optimizers.LionStep;
import org.tokentune.ops.internal.optimizers.MomentumStep;
import org.tokentune.ops.internal.optimizers.SgdStep;

/** Compares the optimizer steps in both kernel modes with the formula in double precision. */
class FusedUpdatesTest {

  private static final String KERNELS = "org.tokentune.kernels";

  /** The setting of the whole test run, restored for the JVM's other tests. */
  private final String wanted = System.getProperty(KERNELS, "fused");

  @BeforeEach
  void preferFused() {
    System.setProperty(KERNELS, "fused");
  }

  @AfterEach
  void restore() {
    System.setProperty(KERNELS, wanted);
  }

  @Test
  void preferredKernelMode() {
    assertEquals(KernelMode.FUSED, KernelMode.preferred());
    System.setProperty(KERNELS, "native");
    assertEquals(KernelMode.NATIVE, KernelMode.preferred());
  }

  @Test
  void adamW() {
    adamW("fused");
    System.setProperty(KERNELS, "native");
    adamW("native");
  }

  private static void adamW(String name) {
    for (int n : new int[] {1, 7, 33, 5000, 70001}) {
      INDArray p = view(FusedCheck.normal(1, n));
      INDArray mean = view(Nd4j.zeros(DataType.FLOAT, n));
      INDArray square = view(Nd4j.zeros(DataType.FLOAT, n));
      double[] expected = p.castTo(DataType.DOUBLE).toDoubleVector();
      double[] m = new double[n];
      double[] v = new double[n];
      for (int step = 1; step <= 3; step++) {
        INDArray g = view(FusedCheck.normal(10 + step, n).mul(1e-3));
        for (int i = 0; i < n; i++) {
          double d = g.getDouble(i);
          m[i] = 0.9 * m[i] + 0.1 * d;
          v[i] = 0.999 * v[i] + 0.001 * d * d;
          double root = Math.sqrt(v[i] / (1 - Math.pow(0.999, step))) + 1e-8;
          expected[i] -= 1e-2 * 0.1 * expected[i];
          expected[i] -= 1e-2 * m[i] / (1 - Math.pow(0.9, step)) / root;
        }
        AdamWStep.run(p, g, mean, square, 1e-2, 0.9, 0.999, 1e-8, 0.1, step);
      }
      near("AdamW " + name + ", " + n + " values", expected, p, 1e-6);
    }
  }

  @Test
  void gradientScale() {
    for (String kernels : new String[] {"fused", "native"}) {
      System.setProperty(KERNELS, kernels);
      for (int n : new int[] {1, 7, 5000, 70001}) {
        INDArray g = view(FusedCheck.normal(3, n));
        double[] expected = g.castTo(DataType.DOUBLE).toDoubleVector();
        double squares = Arrays.stream(expected).map(x -> x * x).sum();
        double tolerance = kernels.equals("fused") ? 1e-6 : 1e-4; // ND4J sums sequentially
        assertEquals(squares, GradientScale.squares(g), tolerance * squares);
        GradientScale.multiply(g, 0.3);
        Arrays.setAll(expected, i -> 0.3 * expected[i]);
        near("gradient times 0.3, " + kernels + ", " + n + " values", expected, g, 1e-6);
        g.putScalar(n - 1, Float.NaN);
        assertEquals(Double.NaN, GradientScale.squares(g));
      }
    }
  }

  @Test
  void sgd() {
    for (String kernels : new String[] {"fused", "native"}) {
      System.setProperty(KERNELS, kernels);
      INDArray p = view(FusedCheck.normal(1, 33));
      INDArray g = view(FusedCheck.normal(2, 33));
      INDArray expected = p.mul(0.5).sub(g.mul(0.1));
      SgdStep.run(p, 0.5, g, 0.1);
      assertTrue(expected.equalsWithEps(p, 1e-6));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fused", "native"})
  void momentumAndLion(String kernels) {
    System.setProperty(KERNELS, kernels);
    for (int n : new int[] {1, 33, 70001}) {
      INDArray p = view(FusedCheck.normal(1, n));
      INDArray q = view(FusedCheck.normal(1, n));
      INDArray buffer = view(Nd4j.zeros(DataType.FLOAT, n));
      INDArray mean = view(Nd4j.zeros(DataType.FLOAT, n));
      double[] sgd = doubles(p);
      double[] lion = doubles(p);
      double[] b = new double[n];
      double[] m = new double[n];
      for (int step = 1; step <= 10; step++) {
        double[] g = doubles(FusedCheck.normal(10 + step, n));
        for (int i = 0; i < n; i++) {
          b[i] = 0.9 * b[i] + g[i] + 0.1 * sgd[i];
          sgd[i] -= 1e-2 * b[i];
          lion[i] -= 1e-2 * (Math.signum(0.9 * m[i] + 0.1 * g[i]) + 0.1 * lion[i]);
          m[i] = 0.99 * m[i] + 0.01 * g[i];
        }
        MomentumStep.run(p, view(FusedCheck.normal(10 + step, n)), buffer, 1e-2, 0.9, false, 0.1);
        LionStep.run(q, view(FusedCheck.normal(10 + step, n)), mean, 1e-2, 0.9, 0.99, 0.1);
      }
      near(kernels + ", SGD with momentum, " + n + " values", sgd, p, 3e-6);
      near(kernels + ", Lion, " + n + " values", lion, q, 3e-6);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fused", "native"})
  void adafactor(String kernels) {
    System.setProperty(KERNELS, kernels);
    for (int[] shape : new int[][] {{1, 1}, {3, 50}, {300, 70}, {1, 2000}}) {
      int n = shape[0];
      int m = shape[1];
      int all = n * m;
      INDArray p = view(FusedCheck.normal(1, all)).reshape(n, m);
      INDArray q = view(FusedCheck.normal(1, all));
      INDArray rows = Nd4j.zeros(DataType.FLOAT, n);
      INDArray columns = Nd4j.zeros(DataType.FLOAT, m);
      INDArray square = Nd4j.zeros(DataType.FLOAT, all);
      double[] factored = doubles(q);
      double[] whole = doubles(q);
      double[] r = new double[n];
      double[] c = new double[m];
      double[] v = new double[all];
      for (int step = 1; step <= 10; step++) {
        double size = step % 2 == 0 ? 10 : 1; // so that some steps are clipped
        INDArray gradient = FusedCheck.normal(10 + step, all).muli(size);
        double[] g = doubles(gradient);
        double add = Math.pow(step, -0.8);
        double[] u = new double[all];
        double[] w = new double[all];
        for (int i = 0; i < n; i++) {
          r[i] *= 1 - add;
          for (int j = 0; j < m; j++) {
            r[i] += add * (g[i * m + j] * g[i * m + j] + 1e-30) / m;
          }
        }
        for (int j = 0; j < m; j++) {
          c[j] *= 1 - add;
          for (int i = 0; i < n; i++) {
            c[j] += add * (g[i * m + j] * g[i * m + j] + 1e-30) / n;
          }
        }
        double mean = Arrays.stream(r).average().orElseThrow();
        for (int i = 0; i < all; i++) {
          u[i] = g[i] / Math.sqrt(r[i / m] / mean * c[i % m]);
          v[i] = (1 - add) * v[i] + add * (g[i] * g[i] + 1e-30);
          w[i] = g[i] / Math.sqrt(v[i]);
        }
        clippedStep(factored, u);
        clippedStep(whole, w);
        INDArray own = view(gradient);
        AdafactorStep.factored(
            p, own.reshape(n, m), rows, columns, 0.999, 1e-2, Math.pow(step, -0.8));
        AdafactorStep.whole(q, view(gradient), square, 0.999, 1e-2, Math.pow(step, -0.8));
      }
      near(kernels + ", Adafactor " + n + " x " + m, factored, p.reshape(all), 2e-6);
      near(kernels + ", Adafactor not factored, " + all, whole, q, 2e-6);
    }
  }

  private static void clippedStep(double[] p, double[] update) {
    double squares = Arrays.stream(update).map(u -> u * u).sum();
    double clip = Math.max(1, Math.sqrt(squares / update.length));
    for (int i = 0; i < p.length; i++) {
      p[i] = 0.999 * p[i] - 1e-2 * update[i] / clip;
    }
  }

  /**
   * The values equal those of bitsandbytes on a CPU, and every number's code is that of the nearest
   * value.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void dynamicMap(boolean signed) {
    DynamicBlocks map = signed ? DynamicBlocks.SIGNED : DynamicBlocks.POSITIVE;
    double[] values = values(map);
    System.out.println(Arrays.toString(Arrays.copyOfRange(values, 120, 136)));
    assertEquals(256, Arrays.stream(values).distinct().count());
    assertEquals(signed ? -1 : 0, values[0]);
    assertEquals(signed ? 0.99296875 : 0.996484375, values[254], 1e-7);
    assertEquals(1, values[255]);
    assertEquals(signed ? 5.5e-7 : 3.25e-7, values[signed ? 128 : 1], 1e-13);
    float[] block = new float[DynamicBlocks.BLOCK];
    byte[] codes = new byte[block.length];
    Random random = new Random(3);
    for (int round = 0; round < 200; round++) {
      for (int i = 0; i < block.length; i++) {
        double magnitude = Math.pow(10, -8 * random.nextDouble()) * (round + 1);
        block[i] = (float) (signed && random.nextBoolean() ? -magnitude : magnitude);
      }
      float scale = map.encode(block, codes, block.length);
      for (int i = 0; i < block.length; i++) {
        double x = block[i] / scale;
        double nearest =
            Arrays.stream(values).map(value -> Math.abs(value - x)).min().orElseThrow();
        assertEquals(nearest, Math.abs(values[codes[i] & 0xFF] - x), 1e-9);
      }
    }
  }

  private static double[] values(DynamicBlocks map) {
    byte[] codes = new byte[256];
    for (int i = 0; i < 256; i++) {
      codes[i] = (byte) i;
    }
    float[] values = new float[256];
    map.decode(codes, 1, values, 256);
    return IntStream.range(0, 256).mapToDouble(i -> values[i]).toArray();
  }

  @ParameterizedTest
  @ValueSource(strings = {"fused", "native"})
  void adamW8bit(String kernels) {
    System.setProperty(KERNELS, kernels);
    double[] means = values(DynamicBlocks.SIGNED);
    double[] squares = values(DynamicBlocks.POSITIVE);
    for (int n : new int[] {1, 256, 5000, 20001}) {
      int blocks = (int) AdamW8bitStep.scales(n);
      INDArray p = view(FusedCheck.normal(1, n));
      AdamW8bitStep.Moment mean = moment(n, blocks);
      AdamW8bitStep.Moment square = moment(n, blocks);
      double[] expected = doubles(p);
      double[] m = new double[n];
      double[] v = new double[n];
      for (int step = 1; step <= 10; step++) {
        INDArray gradient = FusedCheck.normal(10 + step, n);
        double[] g = doubles(gradient);
        for (int i = 0; i < n; i++) {
          m[i] = 0.9 * m[i] + 0.1 * g[i];
          v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
          double root = Math.sqrt(v[i] / (1 - Math.pow(0.999, step))) + 1e-8;
          expected[i] -= 1e-2 * 0.1 * expected[i];
          expected[i] -= 1e-2 * m[i] / (1 - Math.pow(0.9, step)) / root;
        }
        quantise(m, means);
        quantise(v, squares);
        AdamW8bitStep.run(p, view(gradient), mean, square, 1e-2, 0.9, 0.999, 1e-8, 0.1, step);
      }
      double[] actual = doubles(p);
      long apart =
          IntStream.range(0, n).filter(i -> Math.abs(actual[i] - expected[i]) > 1e-6).count();
      System.out.printf("%s, AdamW in 8 bits, %d values: %d codes differ%n", kernels, n, apart);
      // In float, a number may fall on the other side of the boundary between two codes.
      assertTrue(apart <= n / 1000, "apart: " + apart);
      near(kernels + ", AdamW in 8 bits", expected, p, 2e-2);
    }
  }

  private static AdamW8bitStep.Moment moment(int n, int blocks) {
    return new AdamW8bitStep.Moment(
        Nd4j.zeros(DataType.UINT8, n), Nd4j.zeros(DataType.FLOAT, blocks));
  }

  /** Quantises by searching all values. */
  private static void quantise(double[] numbers, double[] values) {
    for (int start = 0; start < numbers.length; start += 256) {
      int end = Math.min(numbers.length, start + 256);
      double scale = Arrays.stream(numbers, start, end).map(Math::abs).max().orElseThrow();
      for (int i = start; i < end; i++) {
        double x = numbers[i] / scale;
        double nearest = values[0];
        for (double value : values) {
          nearest = Math.abs(value - x) < Math.abs(nearest - x) ? value : nearest;
        }
        numbers[i] = nearest * scale;
      }
    }
  }

  private static double[] doubles(INDArray array) {
    return array.castTo(DataType.DOUBLE).reshape(array.length()).toDoubleVector();
  }

  private static void near(String what, double[] expected, INDArray actual, double most) {
    double error = 0;
    double[] values = doubles(actual);
    for (int i = 0; i < expected.length; i++) {
      error = Math.max(error, Math.abs(expected[i] - values[i]));
    }
    System.out.printf("%s: largest error %.1e%n", what, error);
    assertTrue(error < most, what + " " + error);
  }

  private static INDArray view(INDArray array) {
    INDArray buffer = Nd4j.zeros(DataType.FLOAT, array.length() + 7);
    INDArray view = buffer.get(NDArrayIndex.interval(3, 3 + array.length()));
    return view.assign(array);
  }
}
