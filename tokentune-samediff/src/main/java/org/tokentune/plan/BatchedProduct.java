package org.tokentune.plan;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.Workers;

/**
 * Many matrix products of one shape on a CPU, shared out among the kernels' threads: ND4J runs them
 * one after the other, each small one on a single thread.
 */
record BatchedProduct(List<Step> parts) implements Step {

  /** OpenBLAS computes a product of more multiplications on several threads by itself. */
  private static final long MOST_AT_ONCE = 262_144;

  /** Multiplications of all products together that are worth a second thread. */
  private static final long LEAST = 262_144;

  /** OpenBLAS lays y out anew for every product: for fewer rows that would not pay. */
  private static final int LEAST_ROWS = 16;

  /** Whether a node is that. Elsewhere than on a CPU, threads have streams of their own. */
  static boolean canBe(Node node, INDArray output) {
    return node.op().opName().equals(Views.PRODUCT)
        && output.rank() > 2
        && !Products.transposed(node, 2)
        && Nd4j.getEnvironment().isCPU();
  }

  /**
   * @param x [..., n, inner], or as the node's op transposes it
   * @param y [..., inner, m], likewise
   * @param z [..., n, m]
   */
  static Step of(Node node, INDArray x, INDArray y, INDArray z) {
    boolean transposed = Products.transposed(node, 0);
    int last = z.rank() - 1;
    int rowsOfX = transposed ? last : last - 1;
    long inner = x.size(transposed ? last - 1 : last);
    long allRows = z.size(last - 1);
    int axis = z.size(0) >= z.size(last - 2) ? 0 : last - 2;
    long chunks = Math.min(z.size(axis), 2L * Workers.THREADS);
    if (chunks == 1 || z.length() * inner < LEAST) {
      return Step.ofNative(node, new INDArray[] {x, y}, new INDArray[] {z});
    }
    long rows = Math.min(allRows, MOST_AT_ONCE / (inner * z.size(last)));
    if (rows < Math.min(LEAST_ROWS, allRows)) {
      return Step.ofNative(node, new INDArray[] {x, y}, new INDArray[] {z});
    }
    List<Step> parts = new ArrayList<>();
    for (long chunk = 0; chunk < chunks; chunk++) {
      long from = chunk * z.size(axis) / chunks;
      long to = (chunk + 1) * z.size(axis) / chunks;
      INDArray left = part(x, axis, from, to);
      INDArray right = part(y, axis, from, to);
      INDArray out = part(z, axis, from, to);
      for (long row = 0; row < allRows; row += rows) {
        long end = Math.min(allRows, row + rows);
        INDArray[] factors = {part(left, rowsOfX, row, end), right};
        INDArray[] result = {part(out, last - 1, row, end)};
        parts.add(Step.ofNative(node, factors, result));
      }
    }
    return new BatchedProduct(parts);
  }

  /** A view of a part along one axis. */
  private static INDArray part(INDArray array, int axis, long from, long to) {
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
