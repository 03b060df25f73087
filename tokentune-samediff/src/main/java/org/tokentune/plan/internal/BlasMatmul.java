package org.tokentune.plan.internal;

import java.lang.ref.Reference;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.nativeblas.NativeOpsHolder;
import org.tokentune.ops.internal.kernels.Blas;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.Workers;

/**
 * A matmul, or a batch of them, by {@link Blas} on the kernels' threads. This is the one place that
 * decides which matmuls it gets; the others are ND4J's op, which runs a single matmul by oneDNN.
 *
 * <p>The decision depends on shapes and on the processor's kind, never on a measurement: a resumed
 * run must add numbers in the same order.
 */
final class BlasMatmul implements Step {

  /** Fewest multiplications, over the whole batch, for which a second thread pays off. */
  private static final long MIN_MULTIPLICATIONS = 1 << 18;

  /** OpenBLAS repacks y for every product, which does not pay off for fewer rows. */
  private static final long MIN_ROWS = 4;

  /**
   * Results of a single matmul from which oneDNN 2.3.0 is faster than OpenBLAS with AVX2: 140
   * against 110 GFLOP/s. Below it is as fast or slower, 50 to 130 against 100 to 140. With AVX-512
   * it is faster for all shapes.
   */
  private static final long LARGE_RESULT = 1 << 23;

  /** ND4J's number for processors with AVX-512. */
  private static final int AVX512 = 3;

  /** oneDNN's own variable, which limits it to an older instruction set. */
  private static final boolean LIMITED =
      System.getenv().getOrDefault("DNNL_MAX_CPU_ISA", "").matches("SSE41|AVX|AVX2");

  /** The matrices of an array: addresses and layout. */
  private record Matrices(long[] addresses, int rowStride, boolean transposed) {

    /** Empty if neither rows nor columns are contiguous. */
    static Optional<Matrices> of(INDArray array) {
      int rank = array.rank();
      long rows = array.size(rank - 2);
      long columns = array.size(rank - 1);
      long down = array.stride(rank - 2);
      long along = array.stride(rank - 1);
      long[] addresses = addresses(array);
      if (columns == 1 || along == 1) {
        long stride = rows == 1 ? columns : down;
        return stride < columns
            ? Optional.empty()
            : Optional.of(new Matrices(addresses, Math.toIntExact(stride), false));
      }
      if (rows == 1 || down == 1) {
        return along < rows
            ? Optional.empty()
            : Optional.of(new Matrices(addresses, Math.toIntExact(along), true));
      }
      return Optional.empty();
    }

    private static long[] addresses(INDArray array) {
      int batchAxes = array.rank() - 2;
      long count = 1;
      for (int axis = 0; axis < batchAxes; axis++) {
        count *= array.size(axis);
      }
      long[] addresses = new long[Math.toIntExact(count)];
      for (int i = 0; i < addresses.length; i++) {
        long offset = 0;
        long rest = i;
        for (int axis = batchAxes - 1; axis >= 0; axis--) {
          offset += rest % array.size(axis) * array.stride(axis);
          rest /= array.size(axis);
        }
        addresses[i] = Memory.address(array) + offset * Float.BYTES;
      }
      return addresses;
    }

    /** Address of an element of the matrix as it is in memory before a transposition. */
    long address(int matrix, long row, long column) {
      long offset = transposed ? column * rowStride + row : row * rowStride + column;
      return addresses[matrix] + offset * Float.BYTES;
    }
  }

  private final Blas blas;
  private final Matrices x;
  private final Matrices y;
  private final Matrices z;
  private final boolean transposeX; // of the array, as the op says
  private final boolean transposeY;
  private final int rows;
  private final int inner;
  private final int columns;
  private final int parts; // of each matrix
  private final boolean byRows;
  private final List<INDArray> held;

  private BlasMatmul(
      Blas blas, Node node, List<INDArray> arrays, Matrices x, Matrices y, Matrices z) {
    INDArray result = arrays.get(2);
    this.blas = blas;
    this.x = x;
    this.y = y;
    this.z = z;
    held = arrays;
    transposeX = Matmuls.transposes(node, 0);
    transposeY = Matmuls.transposes(node, 1);
    int last = result.rank() - 1;
    rows = Math.toIntExact(result.size(last - 1));
    columns = Math.toIntExact(result.size(last));
    inner = Math.toIntExact(arrays.get(0).size(transposeX ? last - 1 : last));
    // OpenBLAS packs the factor that is not split for every part, and y costs more.
    byRows = rows > 2 * columns;
    int most = Math.max(1, (byRows ? rows : columns) / 64);
    parts = Math.min(most, (Workers.THREADS + z.addresses.length - 1) / z.addresses.length);
  }

  /**
   * A step, if BLAS should compute it.
   *
   * @param x [..., n, inner], or as the node's op transposes it
   * @param y [..., inner, m], likewise
   * @param z [..., n, m]
   */
  static Optional<Step> of(Node node, INDArray x, INDArray y, INDArray z) {
    Optional<Blas> blas = Blas.provided();
    if (blas.isEmpty() || !worthwhile(node, x, y, z)) {
      return Optional.empty();
    }
    Optional<Matrices> left = Matrices.of(x);
    Optional<Matrices> right = Matrices.of(y);
    Optional<Matrices> result = Matrices.of(z).filter(matrices -> !matrices.transposed);
    if (left.isEmpty() || right.isEmpty() || result.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new BlasMatmul(blas.get(), node, List.of(x, y, z), left.get(), right.get(), result.get()));
  }

  private static boolean worthwhile(Node node, INDArray x, INDArray y, INDArray z) {
    int last = z.rank() - 1;
    long rows = z.size(last - 1);
    long columns = z.size(last);
    boolean floats =
        x.dataType() == DataType.FLOAT
            && y.dataType() == DataType.FLOAT
            && z.dataType() == DataType.FLOAT;
    long multiplications = Matmuls.multiplications(node, x.shape(), z.length());
    if (!floats || rows < MIN_ROWS || multiplications < MIN_MULTIPLICATIONS) {
      return false;
    }
    boolean batch = z.length() > rows * columns;
    return batch || (!avx512() && z.length() < LARGE_RESULT);
  }

  private static boolean avx512() {
    return NativeOpsHolder.getInstance().getDeviceNativeOps().optimalLevel() >= AVX512 && !LIMITED;
  }

  @Override
  public void run() {
    try {
      Workers.run(z.addresses.length * parts, i -> run(i / parts, i % parts));
    } finally {
      Reference.reachabilityFence(held);
    }
  }

  private void run(int matrix, int part) {
    int size = byRows ? rows : columns;
    int from = (int) ((long) size * part / parts);
    int to = (int) ((long) size * (part + 1) / parts);
    int row = byRows ? from : 0;
    int column = byRows ? 0 : from;
    blas.sgemm(
        transposeX != x.transposed,
        transposeY != y.transposed,
        byRows ? to - from : rows,
        byRows ? columns : to - from,
        inner,
        1,
        transposeX ? x.address(matrix, 0, row) : x.address(matrix, row, 0),
        x.rowStride,
        transposeY ? y.address(matrix, column, 0) : y.address(matrix, 0, column),
        y.rowStride,
        0,
        z.address(matrix, row, column),
        z.rowStride);
  }
}
