package org.tokentune.spark;

import java.io.Serializable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.train.ArrayBytes;

/**
 * An array on its way to another machine. As bytes: Java's serialisation of 90 MB of floats takes
 * four times as long, and Kryo writes ND4J's arrays without their numbers.
 */
record SentArray(DataType type, long[] shape, byte[] bytes) implements Serializable {

  static SentArray of(INDArray array) {
    return new SentArray(array.dataType(), array.shape(), ArrayBytes.of(array));
  }

  /** A new array with the values. */
  INDArray toArray() {
    INDArray array = empty(type, shape);
    ArrayBytes.copy(bytes, array);
    return array;
  }

  /** A new array whose values are to be set. */
  static INDArray empty(DataType type, long... shape) {
    return shape.length == 0 ? Nd4j.scalar(type, 0) : Nd4j.create(type, shape);
  }
}
