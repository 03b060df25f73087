package org.tokentune.ops;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Floats as 8-bit codes by dynamic quantisation in blocks (Dettmers et al., 8-bit optimizers via
 * block-wise quantization, 2022): a block of {@value #BLOCK} is divided by its largest magnitude,
 * and each number becomes the code of the nearest of 256 values, which lie denser towards 0. They
 * are those of bitsandbytes' {@code create_dynamic_map}: in each of the seven decades below 1, the
 * middles of 1, 2, 4, ... 64 (for positive numbers only, 2, 4, ... 128) equal parts of 0.1 to 1,
 * and 0 and 1.
 */
final class DynamicMap {

  /** As newer bitsandbytes has it; the paper: 2048. */
  static final int BLOCK = 256;

  static final DynamicMap SIGNED = new DynamicMap(true);
  static final DynamicMap POSITIVE = new DynamicMap(false);

  private static final int CODES = 256;
  private static final int DECADES = 7;

  private final float[] values = new float[CODES];

  /** Numbers above this have a code above its index. */
  private final float[] bounds = new float[CODES - 1];

  /** Codes of the least floats that begin with these 16 bits. */
  private final short[] starts = new short[1 << 16];

  private DynamicMap(boolean signed) {
    int size = 0;
    values[size++] = 0;
    values[size++] = 1;
    for (int decade = 0; decade < DECADES; decade++) {
      int parts = 1 << (signed ? decade : decade + 1);
      double scale = Math.pow(10, decade - DECADES + 1);
      for (int i = 0; i < parts; i++) {
        float value = (float) (scale * (0.1 + 0.9 * (i + 0.5) / parts));
        values[size++] = value;
        if (signed) {
          values[size++] = -value;
        }
      }
    }
    Arrays.sort(values);
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = (float) (((double) values[i] + values[i + 1]) / 2);
    }
    for (int bits = 0; bits < starts.length; bits++) {
      int least = bits < starts.length / 2 ? bits << 16 : bits << 16 | 0xFFFF;
      starts[bits] = (short) climb(0, Float.intBitsToFloat(least));
    }
  }

  private int climb(int from, float value) {
    int code = from;
    while (code < bounds.length && value > bounds[code]) {
      code++;
    }
    return code;
  }

  /** Blocks of so many numbers. */
  static long blocks(long length) {
    return (length + BLOCK - 1) / BLOCK;
  }

  /** A block's numbers. */
  void decode(byte[] codes, float scale, float[] out, int length) {
    for (int i = 0; i < length; i++) {
      out[i] = values[codes[i] & 0xFF] * scale;
    }
  }

  /** A block's codes; returns its scale. */
  float encode(float[] block, byte[] codes, int length) {
    float scale = 0;
    for (int i = 0; i < length; i++) {
      scale = Math.max(scale, Math.abs(block[i]));
    }
    float divisor = scale == 0 ? 1 : scale;
    for (int i = 0; i < length; i++) {
      float value = block[i] / divisor;
      codes[i] = (byte) climb(starts[Float.floatToRawIntBits(value) >>> 16], value);
    }
    return scale;
  }

  /**
   * The numbers [n] of codes in native ops.
   *
   * @param codes UINT8 of n elements
   * @param scales FLOAT [blocks]
   */
  INDArray decode(INDArray codes, INDArray scales) {
    INDArray indices = codes.castTo(DataType.INT32).reshape(codes.length());
    INDArray numbers = inBlocks(look(values, indices), scales.length());
    numbers.muliColumnVector(scales);
    return cut(numbers, codes.length());
  }

  /** Encodes numbers [n] in native ops. */
  void encode(INDArray numbers, INDArray codes, INDArray scales) {
    INDArray blocks = inBlocks(numbers, scales.length());
    scales.assign(Transforms.abs(blocks, true).max(1));
    INDArray divisors = scales.add(scales.eq(0).castTo(DataType.FLOAT)); // 1 where 0
    INDArray values = cut(blocks.diviColumnVector(divisors), numbers.length());
    INDArray code = Nd4j.zeros(DataType.INT32, numbers.length());
    for (int bit = CODES / 2; bit > 0; bit /= 2) {
      INDArray bound = look(bounds, code.add(bit - 1));
      code.addi(values.gt(bound).castTo(DataType.INT32).muli(bit));
    }
    codes.assign(code.reshape(codes.shape()));
  }

  private static INDArray look(float[] table, INDArray indices) {
    DynamicCustomOp gather =
        DynamicCustomOp.builder("gather")
            .addInputs(Nd4j.createFromArray(table), indices)
            .addIntegerArguments(0)
            .build();
    return Nd4j.exec(gather)[0];
  }

  /** A copy [blocks, BLOCK], with zeros at the end. */
  private static INDArray inBlocks(INDArray numbers, long blocks) {
    INDArray padded = Nd4j.zeros(DataType.FLOAT, blocks * BLOCK);
    padded.get(NDArrayIndex.interval(0, numbers.length())).assign(numbers);
    return padded.reshape(blocks, BLOCK);
  }

  private static INDArray cut(INDArray blocks, long length) {
    return blocks.reshape(blocks.length()).get(NDArrayIndex.interval(0, length)).dup();
  }
}
