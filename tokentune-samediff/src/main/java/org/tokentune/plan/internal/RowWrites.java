package org.tokentune.plan.internal;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.WriteRows;
import org.tokentune.ops.internal.kernels.Memory;

/**
 * {@link WriteRows} on a CPU: copies. ND4J's op takes far longer than a copy, and generation writes
 * two rows a layer for each token.
 *
 * @param ids INT32 [m]
 * @param rows FLOAT [m, width]
 * @param table FLOAT [n, width]
 */
record RowWrites(INDArray ids, INDArray rows, INDArray table) implements Step {

  /** Whether a node is such copies. */
  static boolean are(Node node, INDArray[] inputs) {
    return node.op() instanceof WriteRows
        && inputs[1].dataType() == DataType.INT32
        && inputs[2].dataType() == DataType.FLOAT
        && Nd4j.getEnvironment().isCPU();
  }

  @Override
  public void run() {
    int width = Math.toIntExact(table.size(1));
    int[] numbers = Memory.intValues(ids);
    try {
      FloatBuffer from = Memory.floats(rows);
      FloatBuffer to = Memory.floats(table);
      for (int i = 0; i < numbers.length; i++) {
        to.put(numbers[i] * width, from, i * width, width);
      }
    } finally {
      Reference.reachabilityFence(rows);
      Reference.reachabilityFence(table);
    }
  }
}
