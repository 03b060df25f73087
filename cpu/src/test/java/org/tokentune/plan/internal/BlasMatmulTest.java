package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.kernels.Blas;

/** Matmuls by BLAS on the kernels' threads, against ND4J's in double precision. */
class BlasMatmulTest {

  @Test
  void batchEqualsDoublePrecision() {
    long[][] shapes = { // batch, heads, n, inner, m
      {8, 4, 76, 8, 104}, {1, 3, 261, 71, 23}, {1, 2, 512, 64, 512}, {2, 1, 40, 200, 300}
    };
    double worst = 0;
    for (long[] s : shapes) {
      for (boolean transposeX : new boolean[] {false, true}) {
        for (boolean transposeY : new boolean[] {false, true}) {
          for (boolean permuted : new boolean[] {false, true}) {
            INDArray x = random(permuted, s[0], s[1], s[transposeX ? 3 : 2], s[transposeX ? 2 : 3]);
            INDArray y = random(permuted, s[0], s[1], s[transposeY ? 4 : 3], s[transposeY ? 3 : 4]);
            INDArray z = random(permuted, s[0], s[1], s[2], s[4]);
            worst = Math.max(worst, error(transposeX, transposeY, x, y, z));
            INDArray byColumns = columnMajor(y);
            worst = Math.max(worst, error(transposeX, transposeY, x, byColumns, z));
          }
        }
      }
    }
    System.out.printf("batched matmuls by BLAS: largest error %.1e%n", worst);
    assertTrue(worst < 2e-4, "sums of up to 200 products of numbers up to about 4");
  }

  /** ND4J gets what is too small to divide, and products of a few rows. */
  @Test
  void leavesSmallMatmulsToNd4j() {
    long[][] shapes = {{2, 2, 5, 7, 2}, {300, 1, 1, 90, 40}};
    for (long[] s : shapes) {
      INDArray x = random(false, s[0], s[1], s[2], s[3]);
      INDArray y = random(false, s[0], s[1], s[3], s[4]);
      INDArray z = random(false, s[0], s[1], s[2], s[4]);
      assertEquals(Optional.empty(), BlasMatmul.of(node(false, false), x, y, z));
    }
  }

  /** A few rows times a weight: as products with vectors, whatever is in z, and of views. */
  @Test
  void fewRowsEqualDoublePrecision() {
    double worst = 0;
    for (long rows : new long[] {1, 3, 4, 5, 8}) {
      for (long[] s : new long[][] {{768, 2053}, {2051, 64}, {1, 140_000}, {140_000, 1}}) {
        Nd4j.getRandom().setSeed(7);
        INDArray x = Nd4j.randn(DataType.FLOAT, rows + 1, s[0]).get(interval(1, rows + 1), all());
        INDArray y = Nd4j.randn(DataType.FLOAT, s[1], s[0] + 3).get(all(), interval(2, s[0] + 2));
        INDArray z = Nd4j.valueArrayOf(new long[] {rows, s[1]}, Float.NaN, DataType.FLOAT);
        Node node = node(false, true);
        assertTrue(FewRowsMatmul.is(node, new INDArray[] {x, y}, z));
        try (Step step = FewRowsMatmul.of(node, x, y, z)) {
          step.run();
        }
        INDArray expected = x.castTo(DataType.DOUBLE).mmul(y.castTo(DataType.DOUBLE).transpose());
        double error = expected.subi(z).amaxNumber().doubleValue() / Math.sqrt((double) s[0]);
        worst = Double.isNaN(error) ? Double.MAX_VALUE : Math.max(worst, error);
      }
    }
    System.out.printf("few rows: largest error %.1e, relative to typical products%n", worst);
    assertTrue(worst < 2e-5);
  }

  /** While a plan runs, products have one thread of the library; afterwards, as many as before. */
  @Test
  void threadsOfTheLibraryAreRestored() {
    Blas blas = Blas.provided().orElseThrow();
    int before = blas.threads();
    BlasThreads.one(
        () -> {
          assertEquals(1, blas.threads());
          BlasThreads.one(() -> assertEquals(1, blas.threads()));
          assertEquals(1, blas.threads());
        });
    assertEquals(before, blas.threads());
    System.out.printf("threads of OpenBLAS: %d, in a step 1, then %d%n", before, blas.threads());
  }

  private static double error(
      boolean transposeX, boolean transposeY, INDArray x, INDArray y, INDArray z) {
    z.assign(Double.NaN);
    try (Step step = BlasMatmul.of(node(transposeX, transposeY), x, y, z).orElseThrow()) {
      step.run();
    }
    double worst = 0;
    for (long b = 0; b < x.size(0); b++) {
      for (long h = 0; h < x.size(1); h++) {
        INDArray left = matrix(x, b, h, transposeX);
        INDArray right = matrix(y, b, h, transposeY);
        INDArray difference = left.mmul(right).subi(matrix(z, b, h, false));
        double error = difference.amaxNumber().doubleValue();
        worst = Double.isNaN(error) ? Double.MAX_VALUE : Math.max(worst, error);
      }
    }
    return worst;
  }

  private static INDArray matrix(INDArray array, long b, long h, boolean transposed) {
    INDArray matrix = array.slice(b).slice(h).castTo(DataType.DOUBLE);
    return transposed ? matrix.transpose() : matrix;
  }

  private static Node node(boolean transposeX, boolean transposeY) {
    return Matmuls.of("x", transposeX, "y", transposeY, "z");
  }

  /** [b, h, n, m], as a view of [b, n, h, m] if {@code permuted}. */
  private static INDArray random(boolean permuted, long b, long h, long n, long m) {
    Nd4j.getRandom().setSeed(7);
    return permuted
        ? Nd4j.randn(DataType.FLOAT, b, n, h, m).permute(0, 2, 1, 3)
        : Nd4j.randn(DataType.FLOAT, b, h, n, m);
  }

  /** The same numbers with contiguous columns instead of rows. */
  private static INDArray columnMajor(INDArray array) {
    return array.permute(0, 1, 3, 2).dup('c').permute(0, 1, 3, 2);
  }
}
