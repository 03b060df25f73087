package org.tokentune.spark;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.quantization.HalfPrecision;
import org.tokentune.train.ArrayBytes;

/** The numbers in which gradients travel. */
enum GradientPrecision {
  /** As they are. */
  FLOAT32 {
    @Override
    byte[] pack(INDArray gradient) {
      return ArrayBytes.of(gradient);
    }

    @Override
    void unpack(byte[] bytes, INDArray gradient) {
      ArrayBytes.copy(bytes, gradient);
    }
  },
  /** Rounded to the nearest bfloat16: as large and as small, with 8 significant bits. */
  BFLOAT16 {
    @Override
    byte[] pack(INDArray gradient) {
      FloatBuffer floats = buffer(ArrayBytes.of(gradient)).asFloatBuffer();
      byte[] bytes = new byte[2 * floats.limit()];
      ShortBuffer halves = buffer(bytes).asShortBuffer();
      for (int i = 0; i < floats.limit(); i++) {
        halves.put(i, HalfPrecision.floatToBfloat(floats.get(i)));
      }
      return bytes;
    }

    @Override
    void unpack(byte[] bytes, INDArray gradient) {
      ShortBuffer halves = buffer(bytes).asShortBuffer();
      byte[] whole = new byte[4 * halves.limit()];
      FloatBuffer floats = buffer(whole).asFloatBuffer();
      for (int i = 0; i < halves.limit(); i++) {
        floats.put(i, HalfPrecision.bfloatToFloat(halves.get(i)));
      }
      ArrayBytes.copy(whole, gradient);
    }
  };

  /** Bytes of a FLOAT gradient. */
  abstract byte[] pack(INDArray gradient);

  /** Sets a FLOAT gradient. */
  abstract void unpack(byte[] bytes, INDArray gradient);

  private static ByteBuffer buffer(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }
}
