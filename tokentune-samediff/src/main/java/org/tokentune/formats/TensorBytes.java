package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.quantization.HalfPrecision;

/** Writes the values of arrays as files of weights store them: in C's order, little-endian. */
public final class TensorBytes {

  private static final int CHUNK = 1 << 20;

  private TensorBytes() {}

  /**
   * Writes an array of floats.
   *
   * @throws IOException if the channel cannot be written to
   */
  public static void write(WritableByteChannel channel, INDArray array, FloatType type)
      throws IOException {
    required(channel, "channel");
    required(array, "array");
    required(type, "type");

    float[] values = array.dup('c').data().asFloat();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK * type.width).order(ByteOrder.LITTLE_ENDIAN);
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

  static void write(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
