package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;
import org.tokentune.ops.internal.kernels.Workers;

/** Matmuls split over several threads equal sequential ones in double precision. */
class ParallelMatmulTest {

  @Test
  void batchEqualsSequentialMatmuls() {
    long[][] shapes = { // batch, heads, n, inner, m; the last three are split by rows
      {8, 4, 76, 8, 104},
      {1, 3, 61, 71, 23},
      {300, 1, 1, 90, 40},
      {2, 5, 32, 32, 128},
      {2, 3, 130, 64, 128},
      {1, 4, 154, 64, 101},
      {2, 2, 96, 128, 64}
    };
    double worst = 0;
    for (long[] s : shapes) {
      for (boolean transposeX : new boolean[] {false, true}) {
        for (boolean transposeY : new boolean[] {false, true}) {
          for (boolean permuted : new boolean[] {false, true}) {
            INDArray x = random(permuted, s[0], s[1], s[transposeX ? 3 : 2], s[transposeX ? 2 : 3]);
            INDArray y = random(permuted, s[0], s[1], s[transposeY ? 4 : 3], s[transposeY ? 3 : 4]);
            INDArray z = random(permuted, s[0], s[1], s[2], s[4]);
            assertTrue(run(transposeX, transposeY, x, y, z) instanceof ParallelMatmul);
            worst = Math.max(worst, error(transposeX, transposeY, x, y, z));
          }
        }
      }
    }
    System.out.printf("batched matmuls: largest error %.1e%n", worst);
    assertTrue(worst < 2e-4, "sums of up to 128 products of numbers up to about 4");
  }

  /** A single matmul is split by rows, but not with a transposed factor or few rows. */
  @Test
  void singleMatmulIsSplitByRows() {
    long[][] shapes = {{304, 64, 172}, {129, 64, 64}, {30, 200, 64}, {5, 7, 2}};
    for (long[] s : shapes) {
      for (boolean transposeX : new boolean[] {false, true}) {
        for (boolean transposeY : new boolean[] {false, true}) {
          INDArray x = random(false, 1, 1, s[transposeX ? 1 : 0], s[transposeX ? 0 : 1]);
          INDArray y = random(false, 1, 1, s[transposeY ? 2 : 1], s[transposeY ? 1 : 2]);
          INDArray z = random(false, 1, 1, s[0], s[2]);
          Step step = run(transposeX, transposeY, matrix(x), matrix(y), matrix(z));
          boolean cut = !transposeX && s[0] > 128 && Workers.THREADS > 1;
          assertEquals(cut, step instanceof ParallelMatmul);
          assertEquals(0, error(transposeX, transposeY, x, y, z), 2e-4);
        }
      }
    }
  }

  private static INDArray matrix(INDArray array) {
    return array.reshape(array.size(2), array.size(3));
  }

  /** ND4J runs a few small matmuls, and large ones, itself. */
  @Test
  void leavesOtherMatmulsToNd4j() {
    long[][] shapes = {{1, 1, 5, 7, 2}, {3, 2, 5, 7, 2}, {2, 2, 512, 64, 512}};
    for (long[] s : shapes) {
      INDArray x = random(false, s[0], s[1], s[2], s[3]);
      INDArray y = random(false, s[0], s[1], s[3], s[4]);
      INDArray z = random(false, s[0], s[1], s[2], s[4]);
      assertFalse(run(false, false, x, y, z) instanceof ParallelMatmul);
      assertEquals(0, error(false, false, x, y, z), 2e-4);
    }
  }

  /** OpenMP's threads are restored afterwards; ND4J also runs a large single matmul itself. */
  @Test
  void restoresOpenMpThreads() {
    NativeOps nd4j = NativeOpsHolder.getInstance().getDeviceNativeOps();
    int threads = nd4j.ompGetMaxThreads();
    for (boolean transposed : new boolean[] {false, true}) {
      INDArray x = random(false, 1, 1, 512, 512);
      INDArray z = random(false, 1, 1, 512, 512);
      assertFalse(
          run(transposed, false, matrix(x), matrix(x), matrix(z)) instanceof ParallelMatmul);
      assertEquals(0, error(transposed, false, x, x, z), 2e-3);
      INDArray small = Nd4j.randn(DataType.FLOAT, 200, 64);
      run(
          transposed,
          !transposed,
          small,
          small,
          Nd4j.create(DataType.FLOAT, transposed ? 64 : 200, transposed ? 64 : 200));
      assertEquals(threads, nd4j.ompGetMaxThreads());
    }
  }

  @Test
  void acceptsRankThree() {
    INDArray x = Nd4j.randn(DataType.FLOAT, 9, 40, 50);
    INDArray y = Nd4j.randn(DataType.FLOAT, 9, 50, 60);
    INDArray z = Nd4j.create(DataType.FLOAT, 9, 40, 60);
    assertTrue(run(false, false, x, y, z) instanceof ParallelMatmul);
    assertEquals(
        0,
        error(
            false,
            false,
            x.reshape(1, 9, 40, 50),
            y.reshape(1, 9, 50, 60),
            z.reshape(1, 9, 40, 60)),
        2e-4);
  }

  /** ND4J also computes transposed results itself. */
  @Test
  void leavesTransposedResults() {
    INDArray x = Nd4j.randn(DataType.FLOAT, 4, 128, 64);
    INDArray y = Nd4j.randn(DataType.FLOAT, 4, 64, 100);
    INDArray z = Nd4j.create(DataType.FLOAT, 4, 100, 128);
    DynamicCustomOp op = DynamicCustomOp.builder("matmul").addIntegerArguments(0, 0, 1).build();
    Node node = new Node(op, List.of("x", "y"), List.of("z"));
    assertFalse(ParallelMatmul.canSplit(node, z));
    try (Step step = Step.of(node, new INDArray[] {x, y}, new INDArray[] {z})) {
      step.run();
    }
    INDArray result = z.permute(0, 2, 1).reshape('c', 1, 4, 128, 100);
    assertEquals(
        0, error(false, false, x.reshape(1, 4, 128, 64), y.reshape(1, 4, 64, 100), result), 2e-4);
  }

  private static Step run(boolean tx, boolean ty, INDArray x, INDArray y, INDArray z) {
    DynamicCustomOp op =
        DynamicCustomOp.builder("matmul").addIntegerArguments(tx ? 1 : 0, ty ? 1 : 0, 0).build();
    Node node = new Node(op, List.of("x", "y"), List.of("z"));
    try (Step step = Step.of(node, new INDArray[] {x, y}, new INDArray[] {z})) {
      step.run();
      return step;
    }
  }

  /** [a, b, c, d], in c order or permuted from [a, c, b, d], within a larger buffer. */
  private static INDArray random(boolean permuted, long... s) {
    long[] shape = permuted ? new long[] {s[0], s[2], s[1], s[3]} : s;
    INDArray buffer = Nd4j.randn(DataType.FLOAT, Arrays.stream(s).reduce(7, (p, q) -> p * q) + 7);
    INDArray array =
        Nd4j.create(
            buffer.data(), shape, AliasAnalysis.denseStrides(shape), 7, 'c', DataType.FLOAT);
    return permuted ? array.permute(0, 2, 1, 3) : array;
  }

  private static double error(boolean tx, boolean ty, INDArray x, INDArray y, INDArray z) {
    double worst = 0;
    for (long i = 0; i < z.size(0) * z.size(1); i++) {
      INDArray left = x.tensorAlongDimension(i, 2, 3).castTo(DataType.DOUBLE);
      INDArray right = y.tensorAlongDimension(i, 2, 3).castTo(DataType.DOUBLE);
      INDArray product =
          (tx ? left.transpose() : left).dup().mmul((ty ? right.transpose() : right).dup());
      INDArray gap = product.sub(z.tensorAlongDimension(i, 2, 3).castTo(DataType.DOUBLE));
      worst = Math.max(worst, gap.amaxNumber().doubleValue());
    }
    return worst;
  }
}
