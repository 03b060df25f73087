package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadSettingsException;
import org.tokentune.ops.internal.kernels.Memory;

/**
 * The values of arrays as bytes, to send to other machines: in c order and the processor's byte
 * order, which is little-endian wherever ND4J has binaries for.
 */
public final class ArrayBytes {

  private ArrayBytes() {}

  /**
   * Copies an array's values.
   *
   * @throws BadSettingsException if they take 2 GiB or more
   */
  public static byte[] of(INDArray array) {
    required(array, "array");

    long size = array.length() * array.dataType().width();
    if (size > Integer.MAX_VALUE - 8) {
      throw new BadSettingsException(
          "An array of %,d bytes cannot be sent to other machines, which takes less than 2 GiB; keep"
              + " this parameter in fewer bits, or train a smaller model.",
          size);
    }
    byte[] bytes = new byte[(int) size];
    INDArray dense = array.isView() ? array.dup('c') : array;
    try {
      Memory.raw(dense).get(0, bytes);
    } finally {
      Reference.reachabilityFence(dense);
    }
    return bytes;
  }

  /**
   * Copies some of an array's values.
   *
   * @param array dense and in c order
   * @param from number of the first byte
   * @param bytes filled from its position to its limit
   */
  public static void read(INDArray array, long from, ByteBuffer bytes) {
    required(array, "array");
    required(bytes, "bytes");

    try {
      bytes.put(Memory.raw(array).slice(Math.toIntExact(from), bytes.remaining()));
    } finally {
      Reference.reachabilityFence(array);
    }
  }

  /**
   * Sets some of an array's values.
   *
   * @param bytes from its position to its limit
   * @param array dense and in c order
   * @param from number of the first byte
   */
  public static void write(ByteBuffer bytes, INDArray array, long from) {
    required(bytes, "bytes");
    required(array, "array");

    try {
      Memory.raw(array).slice(Math.toIntExact(from), bytes.remaining()).put(bytes);
    } finally {
      Reference.reachabilityFence(array);
    }
  }

  /**
   * Copies bytes into an array, dense and in c order.
   *
   * @throws BadSettingsException if there are more or fewer than it has
   */
  public static void copy(byte[] bytes, INDArray array) {
    required(bytes, "bytes");
    required(array, "array");

    if (bytes.length != array.length() * array.dataType().width()) {
      throw BadSettingsException.of(
          "bytes",
          "must be %d for %s, got %d.",
          array.length() * array.dataType().width(),
          array.shapeInfoToString(),
          bytes.length);
    }
    try {
      Memory.raw(array).put(0, bytes);
    } finally {
      Reference.reachabilityFence(array);
    }
  }
}
