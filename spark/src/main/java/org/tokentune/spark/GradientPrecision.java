package org.tokentune.spark;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import org.tokentune.quantization.HalfPrecision;

/** The numbers in which gradients travel. */
enum GradientPrecision {
  /** As they are. */
  FLOAT32 {
    @Override
    byte[] pack(byte[] gradients) {
      return gradients;
    }

    @Override
    byte[] unpack(byte[] packed) {
      return packed;
    }
  },
  /** Rounded to the nearest bfloat16: as large and as small, with 8 significant bits. */
  BFLOAT16 {
    @Override
    byte[] pack(byte[] gradients) {
      FloatBuffer floats = buffer(gradients).asFloatBuffer();
      byte[] bytes = new byte[2 * floats.limit()];
      ShortBuffer halves = buffer(bytes).asShortBuffer();
      for (int i = 0; i < floats.limit(); i++) {
        halves.put(i, HalfPrecision.floatToBfloat(floats.get(i)));
      }
      return bytes;
    }

    @Override
    byte[] unpack(byte[] packed) {
      ShortBuffer halves = buffer(packed).asShortBuffer();
      byte[] whole = new byte[4 * halves.limit()];
      FloatBuffer floats = buffer(whole).asFloatBuffer();
      for (int i = 0; i < halves.limit(); i++) {
        floats.put(i, HalfPrecision.bfloatToFloat(halves.get(i)));
      }
      return whole;
    }
  };

  /**
   * What travels.
   *
   * @param gradients FLOAT numbers
   */
  abstract byte[] pack(byte[] gradients);

  /** The FLOAT numbers that have travelled. */
  abstract byte[] unpack(byte[] packed);

  private static ByteBuffer buffer(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }
}
