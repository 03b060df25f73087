package org.tokentune.plan;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;
import org.tokentune.ops.Workers;

/**
 * Matrix products on a CPU, shared out among the kernels' threads: many of one shape, which ND4J
 * runs one after the other, or the rows of a small one. OpenMP has one thread meanwhile: to wake
 * its others up costs more than they do for so little (75 microseconds for [304, 64] x [64, 64], 17
 * on one thread).
 */
record SharedProduct(List<Step> parts) implements Step {

  /** Multiplications of all products together that are worth a second thread. */
  private static final long LEAST = 1 << 18;

  /** Rows of a part of one product: for fewer the factors' own layout takes too long. */
  private static final long LEAST_ROWS = 64;

  /** With more multiplications in one product, OpenMP's threads are worth it. */
  private static final long MOST = 1 << 26;

  /** The same of a product that is not cut. */
  private static final long MOST_ALONE = 1 << 23;

  /** Whether a node may be that. Elsewhere than on a CPU, threads have streams of their own. */
  static boolean canBe(Node node, INDArray output) {
    return node.op().opName().equals(Views.PRODUCT)
        && output.rank() > 1
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
    int rows = z.rank() - 2;
    int rowsOfX = transposed ? rows + 1 : rows;
    long multiplications = z.length() * x.size(transposed ? rows : rows + 1);
    int axis = axis(z);
    long chunks = multiplications < LEAST ? 1 : chunks(z, axis, transposed);
    long most = axis < rows ? Long.MAX_VALUE : chunks > 1 ? MOST : MOST_ALONE;
    if (multiplications > most) {
      return Step.ofNative(node, new INDArray[] {x, y}, new INDArray[] {z});
    }
    List<Step> parts = new ArrayList<>();
    for (long chunk = 0; chunk < chunks; chunk++) {
      long from = chunk * z.size(axis) / chunks;
      long to = (chunk + 1) * z.size(axis) / chunks;
      INDArray left = part(x, axis < rows ? axis : rowsOfX, from, to);
      INDArray right = axis < rows ? part(y, axis, from, to) : y;
      INDArray[] result = {part(z, axis, from, to)};
      parts.add(Step.ofNative(node, new INDArray[] {left, right}, result));
    }
    return new SharedProduct(parts);
  }

  /** Along which the products are shared out: the longer one of a batch, else the rows. */
  private static int axis(INDArray z) {
    int rows = z.rank() - 2;
    if (z.length() == z.size(rows) * z.size(rows + 1)) {
      return rows;
    }
    return z.size(0) >= z.size(rows - 1) ? 0 : rows - 1;
  }

  private static long chunks(INDArray z, int axis, boolean transposed) {
    if (axis < z.rank() - 2) {
      return Math.min(z.size(axis), 2L * Workers.THREADS);
    }
    // Of a transposed x the rows lie apart: half of them would take as long as all.
    return transposed ? 1 : Math.max(1, Math.min(Workers.THREADS, z.size(axis) / LEAST_ROWS));
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
    Workers.run(parts.size(), part -> alone(parts.get(part)));
  }

  /** Without OpenMP's other threads: their number is the calling thread's own. */
  private static void alone(Step part) {
    NativeOps nd4j = NativeOpsHolder.getInstance().getDeviceNativeOps();
    int threads = nd4j.ompGetMaxThreads();
    nd4j.setOmpNumThreads(1);
    try {
      part.run();
    } finally {
      nd4j.setOmpNumThreads(threads);
    }
  }

  @Override
  public void close() {
    parts.forEach(Step::close);
  }
}
