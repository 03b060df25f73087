package org.tokentune.ops.internal.kernels;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Accesses arrays' memory as NIO buffers that start at the array's first element.
 *
 * <p>A buffer does not keep its array alive: every use must end with a {@code
 * Reference.reachabilityFence}.
 */
public final class Memory {

  private Memory() {}

  public static FloatBuffer floats(INDArray array) {
    return bytes(array, DataType.FLOAT).asFloatBuffer();
  }

  private static IntBuffer ints(INDArray array) {
    return bytes(array, DataType.INT32).asIntBuffer();
  }

  /** The bytes of a UINT8 array. */
  public static ByteBuffer bytes(INDArray array) {
    return bytes(array, DataType.UINT8);
  }

  /** The bytes of an array of any type. */
  public static ByteBuffer raw(INDArray array) {
    return bytes(array, array.dataType());
  }

  /**
   * Address of the first element. Like a buffer, it does not keep the array alive.
   *
   * @param array FLOAT, of any strides
   */
  public static long address(INDArray array) {
    return array.data().address() + array.offset() * array.dataType().width();
  }

  /** All values of an INT32 array. */
  public static int[] intValues(INDArray array) {
    int[] values = new int[Math.toIntExact(array.length())];
    try {
      ints(array).get(0, values);
    } finally {
      Reference.reachabilityFence(array);
    }
    return values;
  }

  /** All values of a FLOAT array. */
  public static float[] floatValues(INDArray array) {
    float[] values = new float[Math.toIntExact(array.length())];
    try {
      floats(array).get(0, values);
    } finally {
      Reference.reachabilityFence(array);
    }
    return values;
  }

  /** Sets the only element of a FLOAT array. */
  public static void setScalar(INDArray array, float value) {
    try {
      floats(array).put(0, value);
    } finally {
      Reference.reachabilityFence(array);
    }
  }

  private static ByteBuffer bytes(INDArray array, DataType type) {
    if (array.dataType() != type || !dense(array)) {
      throw new IllegalArgumentException(
          "kernels read only dense c-ordered " + type + ", not " + array.shapeInfoToString());
    }
    if (array.length() > Integer.MAX_VALUE / type.width()) {
      throw new IllegalArgumentException(
          "kernels read only arrays of less than 2 GiB, not " + array.shapeInfoToString());
    }
    // For any view, data() is the parent's buffer; the offset counts elements from its start.
    long start = array.offset() * type.width();
    // Never closed: that would free the array's memory.
    BytePointer pointer = new BytePointer(array.data().pointer());
    pointer.position(start).limit(start + array.length() * type.width());
    // Index 0 of the buffer may precede the array; slicing moves it to the array's first byte.
    return pointer.asByteBuffer().slice().order(ByteOrder.nativeOrder());
  }

  private static boolean dense(INDArray array) {
    long expected = 1;
    for (int d = array.rank() - 1; d >= 0; d--) {
      if (array.size(d) != 1 && array.stride(d) != expected) {
        return false;
      }
      expected *= array.size(d);
    }
    return true;
  }
}
