package org.tokentune.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The updaters in both styles against the formula in double precision. */
class FusedUpdatesTest {

  private static final String KERNELS = "org.tokentune.kernels";

  /** What the whole run was asked for: the other tests of this JVM keep it. */
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
  void preferredStyle() {
    assertEquals(Style.FUSED, Style.preferred());
    System.setProperty(KERNELS, "native");
    assertEquals(Style.NATIVE, Style.preferred());
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
        AdamWUpdate.run(p, g, mean, square, 1e-2, 0.9, 0.999, 1e-8, 0.1, step);
      }
      double error =
          p.castTo(DataType.DOUBLE).sub(Nd4j.createFromArray(expected)).amaxNumber().doubleValue();
      System.out.printf("AdamW %s, %d values: largest relative error %.1e%n", name, n, error);
      assertTrue(error < 1e-6, name + " " + error);
    }
  }

  @Test
  void sgd() {
    for (String kernels : new String[] {"fused", "native"}) {
      System.setProperty(KERNELS, kernels);
      INDArray p = view(FusedCheck.normal(1, 33));
      INDArray g = view(FusedCheck.normal(2, 33));
      INDArray expected = p.sub(g.mul(0.1));
      SgdUpdate.run(p, g, 0.1);
      assertTrue(expected.equalsWithEps(p, 1e-6));
    }
  }

  private static INDArray view(INDArray array) {
    INDArray buffer = Nd4j.zeros(DataType.FLOAT, array.length() + 7);
    INDArray view = buffer.get(NDArrayIndex.interval(3, 3 + array.length()));
    return view.assign(array);
  }
}
