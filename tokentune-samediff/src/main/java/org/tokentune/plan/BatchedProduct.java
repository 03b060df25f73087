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

  /** Fewer rows at a time would waste what is prepared for every product. */
  private static final int LEAST_ROWS = 16;

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
    long rows = Math.min(allRows, MOST_AT_ONCE / (inner * z.size(last)));
    int axis = z.size(0) > 1 ? 0 : last - 2;
    if (z.size(axis) == 1 || rows < Math.min(LEAST_ROWS, allRows) || z.length() * inner < LEAST) {
      return Step.ofNative(node, new INDArray[] {x, y}, new INDArray[] {z});
    }
    List<Step> parts = new ArrayList<>();
    long chunks = Math.min(z.size(axis), 2L * Workers.THREADS);
    for (long chunk = 0; chunk < chunks; chunk++) {
      long from = chunk * z.size(axis) / chunks;
      long to = (chunk + 1) * z.size(axis) / chunks;
      INDArray right = part(y, axis, from, to);
      for (long row = 0; row < allRows; row += rows) {
        long end = Math.min(allRows, row + rows);
        INDArray left = part(part(x, axis, from, to), rowsOfX, row, end);
        INDArray out = part(part(z, axis, from, to), last - 1, row, end);
        parts.add(Step.ofNative(node, new INDArray[] {left, right}, new INDArray[] {out}));
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
