package org.tokentune.ops;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Arrays with a type and a shape but almost no memory, for planning, not for computing. */
public final class ShapeOnlyArray {

  private ShapeOnlyArray() {}

  /** An array whose elements all share one memory location; each call allocates its own. */
  public static INDArray of(DataType type, long... shape) {
    if (shape.length == 0) {
      return Nd4j.scalar(type, 0);
    }
    INDArray one = Nd4j.create(type, 1);
    return Nd4j.create(one.data(), shape, new long[shape.length], 0, 'c', type);
  }

  /** Whether an array is shape-only. */
  public static boolean is(INDArray array) {
    return array.rank() > 0 && Arrays.stream(array.stride()).allMatch(stride -> stride == 0);
  }
}
