package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.kernels.Blas;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.Workers;

/**
 * The product {@code z = x y^T} of a few rows and a weight, as in generation, where the time is
 * that of reading y. The rows of y are divided among the kernels' threads, which are awake already:
 * waking OpenMP's takes longer than reading a small weight.
 */
record FewRowsMatmul(List<Step> parts) implements Step {

  /** Most rows of x; for more, multiplying takes longer than reading. */
  private static final long MAX_ROWS = 8;

  /** Fewest elements of y for which a second thread pays off. */
  private static final long MIN_ELEMENTS = 1 << 17;

  /**
   * Most rows of x that are multiplied one after the other, which reads y as often, from the cache:
   * OpenBLAS's product with a vector reads it three to four times as fast as ND4J's matmul.
   */
  private static final long MAX_VECTORS = 4;

  /** Elements of y in a part: 256 KB, about 25 microseconds. */
  private static final long PART_ELEMENTS = 1 << 16;

  /** Parts for each thread, so that a late one has fewer. */
  private static final long PARTS_PER_THREAD = 4;

  /** Whether a node is such a product, on a CPU. */
  static boolean is(Node node, INDArray[] inputs, INDArray z) {
    return node.isMatmul()
        && z.rank() == 2
        && inputs[1].rank() == 2
        && z.size(0) <= MAX_ROWS
        && inputs[1].length() >= MIN_ELEMENTS
        && !Matmuls.transposes(node, 0)
        && Matmuls.transposes(node, 1)
        && !Matmuls.transposes(node, 2)
        && Nd4j.getEnvironment().isCPU();
  }

  /**
   * Divides the product.
   *
   * @param x [n, inner]
   * @param y [m, inner]
   * @param z [n, m]
   */
  static Step of(Node node, INDArray x, INDArray y, INDArray z) {
    long rows = y.size(0);
    long count =
        Math.min(
            Math.min(rows, PARTS_PER_THREAD * Workers.THREADS),
            Math.max(Workers.THREADS, y.length() / PART_ELEMENTS));
    List<Step> parts = new ArrayList<>();
    for (long part = 0; part < count; part++) {
      long from = part * rows / count;
      long to = (part + 1) * rows / count;
      INDArray some = ParallelMatmul.part(y, 0, from, to);
      INDArray result = ParallelMatmul.part(z, 1, from, to);
      parts.add(
          areVectors(x, y, z)
              ? new Vectors(Blas.provided().orElseThrow(), x, some, result)
              : OpenMp.singleThreaded(
                  Step.bound(node, new INDArray[] {x, some}, new INDArray[] {result})));
    }
    return new FewRowsMatmul(parts);
  }

  private static boolean areVectors(INDArray x, INDArray y, INDArray z) {
    return Blas.provided().isPresent()
        && x.size(0) <= MAX_VECTORS
        && Stream.of(x, y, z)
            .allMatch(array -> array.dataType() == DataType.FLOAT && array.stride(1) == 1);
  }

  /** Each row of x times y. */
  private record Vectors(Blas blas, INDArray x, INDArray y, INDArray z) implements Step {

    @Override
    public void run() {
      int rows = Math.toIntExact(y.size(0));
      int inner = Math.toIntExact(y.size(1));
      int stride = Math.toIntExact(rows == 1 ? inner : y.stride(0));
      for (long row = 0; row < x.size(0); row++) {
        blas.sgemm(
            false,
            true,
            1,
            rows,
            inner,
            1,
            Memory.address(x) + row * x.stride(0) * Float.BYTES,
            inner,
            Memory.address(y),
            stride,
            0,
            Memory.address(z) + row * z.stride(0) * Float.BYTES,
            rows);
      }
    }
  }

  @Override
  public void run() {
    Workers.run(parts.size(), part -> parts.get(part).run());
  }

  @Override
  public void close() {
    parts.forEach(Step::close);
  }
}
