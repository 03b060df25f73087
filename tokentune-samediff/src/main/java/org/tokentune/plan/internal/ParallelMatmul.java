package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.kernels.Workers;

/**
 * Matmuls on a CPU, distributed over the kernels' threads: a batch of one shape, which ND4J runs
 * sequentially, or the rows of a small one.
 */
record ParallelMatmul(List<Step> parts) implements Step {

  /** Fewest multiplications, over the whole batch, for which a second thread pays off. */
  private static final long MIN_MULTIPLICATIONS = 1 << 18;

  /**
   * Most multiplications of each matmul in a batched call: OpenBLAS has special kernels for small
   * ones.
   */
  private static final long MAX_BATCHED = 1 << 18;

  /** OpenBLAS repacks y for every matmul, which does not pay off for fewer rows. */
  private static final long MIN_BATCHED_ROWS = 16;

  /** Most multiplications of a single matmul: above this, OpenMP's threads are as fast. */
  private static final long MAX_SINGLE = 1 << 24;

  /** Fewest rows of a single matmul for which a second thread pays off. */
  private static final long MIN_SINGLE_ROWS = 64;

  /**
   * Whether a node can run in parallel parts. On devices other than a CPU, threads have their own
   * streams.
   */
  static boolean canSplit(Node node, INDArray output) {
    return node.isMatmul()
        && output.rank() > 1
        && !Matmuls.transposes(node, 2)
        && Nd4j.getEnvironment().isCPU();
  }

  /**
   * @param x [..., n, inner], or as the node's op transposes it
   * @param y [..., inner, m], likewise
   * @param z [..., n, m]
   */
  static Step of(Node node, INDArray x, INDArray y, INDArray z) {
    Optional<Step> blas = BlasMatmul.of(node, x, y, z);
    if (blas.isPresent()) {
      return blas.get();
    }
    long multiplications = Matmuls.multiplications(node, x.shape(), z.length());
    int last = z.rank() - 1;
    if (multiplications >= MIN_MULTIPLICATIONS) {
      List<Step> parts =
          z.length() == z.size(last - 1) * z.size(last)
              ? ofSingle(node, x, y, z, multiplications)
              : ofBatch(node, x, y, z, multiplications / z.length());
      if (!parts.isEmpty()) {
        return new ParallelMatmul(parts);
      }
    }
    return Step.ofNative(node, new INDArray[] {x, y}, new INDArray[] {z});
  }

  /** Rows for each thread; empty if it would not pay off. */
  private static List<Step> ofSingle(
      Node node, INDArray x, INDArray y, INDArray z, long multiplications) {
    long rows = z.size(z.rank() - 2);
    long threads = Math.min(Workers.THREADS, rows / MIN_SINGLE_ROWS);
    // The rows of a transposed x are not contiguous: half of them would take as long as all.
    if (threads < 2 || Matmuls.transposes(node, 0) || multiplications > MAX_SINGLE) {
      return List.of();
    }
    return ofRows(node, x, y, z, (rows + threads - 1) / threads);
  }

  /**
   * Parts of the batch, a few per thread, possibly split by rows; empty if it would not pay off.
   */
  private static List<Step> ofBatch(Node node, INDArray x, INDArray y, INDArray z, long inner) {
    int last = z.rank() - 1;
    long allRows = z.size(last - 1);
    long rows = Math.min(allRows, MAX_BATCHED / (inner * z.size(last)));
    if (rows < Math.min(MIN_BATCHED_ROWS, allRows)) {
      return List.of();
    }
    int axis = z.size(0) >= z.size(last - 2) ? 0 : last - 2;
    long chunks = Math.min(z.size(axis), 2L * Workers.THREADS);
    List<Step> parts = new ArrayList<>();
    for (long chunk = 0; chunk < chunks; chunk++) {
      long from = chunk * z.size(axis) / chunks;
      long to = (chunk + 1) * z.size(axis) / chunks;
      INDArray right = part(y, axis, from, to);
      parts.addAll(ofRows(node, part(x, axis, from, to), right, part(z, axis, from, to), rows));
    }
    return parts;
  }

  private static List<Step> ofRows(Node node, INDArray x, INDArray y, INDArray z, long rows) {
    int axis = z.rank() - 2;
    int axisOfX = Matmuls.transposes(node, 0) ? axis + 1 : axis;
    List<Step> parts = new ArrayList<>();
    for (long row = 0; row < z.size(axis); row += rows) {
      long end = Math.min(z.size(axis), row + rows);
      INDArray[] factors = {part(x, axisOfX, row, end), y};
      INDArray[] result = {part(z, axis, row, end)};
      parts.add(OpenMp.singleThreaded(Step.bound(node, factors, result)));
    }
    return parts;
  }

  /** A view of a part along one axis. */
  static INDArray part(INDArray array, int axis, long from, long to) {
    long[] shape = array.shape().clone();
    shape[axis] = to - from;
    long offset = array.offset() + from * array.stride(axis);
    return Nd4j.create(array.data(), shape, array.stride(), offset, 'c', array.dataType());
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
