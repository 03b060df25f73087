package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadSettingsException;
import org.tokentune.quantization.HalfPrecision;

/** Writes the values of arrays as files of weights store them: in C's order, little-endian. */
public final class TensorBytes {

  private static final int CHUNK = 1 << 20;

  private TensorBytes() {}

  /**
   * Writes an array.
   *
   * @param name of the tensor, for messages
   * @param type of floats; whole numbers keep their own
   * @throws BadSettingsException if a finite number is infinite in this type
   * @throws IOException if the channel cannot be written to
   */
  public static void write(WritableByteChannel channel, String name, INDArray array, FloatType type)
      throws IOException {
    required(channel, "channel");
    required(name, "name");
    required(array, "array");
    required(type, "type");

    if (array.isEmpty()) {
      return;
    }
    DataBuffer data = array.dup('c').data();
    if (array.dataType().isFPType()) {
      float[] values = data.asFloat();
      if (type == FloatType.F16) {
        checkRange(name, values);
      }
      write(channel, values, type);
    } else {
      write(channel, data.asLong(), array.dataType().width());
    }
  }

  private static void checkRange(String name, float[] values) {
    for (float value : values) {
      boolean lost = Float.isInfinite(HalfPrecision.halfToFloat(HalfPrecision.floatToHalf(value)));
      if (lost && !Float.isInfinite(value)) {
        throw new BadSettingsException(
            "The tensor %s has the value %s, and float16 ends at 65504; store it as bfloat16 or"
                + " float32.",
            name, value);
      }
    }
  }

  private static void write(WritableByteChannel channel, float[] values, FloatType type)
      throws IOException {
    ByteBuffer chunk = chunk(type.width);
    for (int from = 0; from < values.length; from += CHUNK) {
      int to = Math.min(from + CHUNK, values.length);
      chunk.clear();
      for (int i = from; i < to; i++) {
        switch (type) {
          case F32 -> chunk.putFloat(values[i]);
          case F16 -> chunk.putShort(HalfPrecision.floatToHalf(values[i]));
          case BF16 -> chunk.putShort(HalfPrecision.floatToBfloat(values[i]));
        }
      }
      write(channel, chunk.flip());
    }
  }

  private static void write(WritableByteChannel channel, long[] values, int width)
      throws IOException {
    ByteBuffer chunk = chunk(width);
    for (int from = 0; from < values.length; from += CHUNK) {
      int to = Math.min(from + CHUNK, values.length);
      chunk.clear();
      for (int i = from; i < to; i++) {
        switch (width) {
          case 1 -> chunk.put((byte) values[i]);
          case 2 -> chunk.putShort((short) values[i]);
          case 4 -> chunk.putInt((int) values[i]);
          default -> chunk.putLong(values[i]);
        }
      }
      write(channel, chunk.flip());
    }
  }

  private static ByteBuffer chunk(int width) {
    return ByteBuffer.allocate(CHUNK * width).order(ByteOrder.LITTLE_ENDIAN);
  }

  static void write(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
