package org.tokentune.ops.internal.kernels;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.quantization.DynamicMap;

/**
 * Encodes floats as 8-bit codes by block-wise dynamic quantisation (Dettmers et al., 8-bit
 * optimizers via block-wise quantization, 2022): a block of {@value #BLOCK} is divided by its
 * largest magnitude, and each number becomes its code in a {@link DynamicMap}.
 */
public final class DynamicBlocks {

  /** As in newer versions of bitsandbytes; the paper uses 2048. */
  public static final int BLOCK = 256;

  public static final DynamicBlocks SIGNED = new DynamicBlocks(DynamicMap.SIGNED);
  public static final DynamicBlocks POSITIVE = new DynamicBlocks(DynamicMap.POSITIVE);

  private final DynamicMap map;

  private DynamicBlocks(DynamicMap map) {
    this.map = map;
  }

  /** Number of blocks for this many numbers. */
  public static long blocks(long length) {
    return (length + BLOCK - 1) / BLOCK;
  }

  /** Decodes a block. */
  public void decode(byte[] codes, float scale, float[] out, int length) {
    for (int i = 0; i < length; i++) {
      out[i] = map.level(codes[i] & 0xFF) * scale;
    }
  }

  /** Encodes a block and returns its scale. */
  public float encode(float[] block, byte[] codes, int length) {
    float scale = 0;
    for (int i = 0; i < length; i++) {
      scale = Math.max(scale, Math.abs(block[i]));
    }
    float divisor = scale == 0 ? 1 : scale;
    for (int i = 0; i < length; i++) {
      codes[i] = (byte) map.nearest(block[i] / divisor);
    }
    return scale;
  }

  /**
   * Decodes to numbers [n] with native ops.
   *
   * @param codes UINT8 of n elements
   * @param scales FLOAT [blocks]
   */
  public INDArray decode(INDArray codes, INDArray scales) {
    INDArray indices = codes.castTo(DataType.INT32).reshape(codes.length());
    INDArray numbers = inBlocks(lookUp(map.levels(), indices), scales.length());
    numbers.muliColumnVector(scales);
    return cut(numbers, codes.length());
  }

  /** Encodes numbers [n] with native ops. */
  public void encode(INDArray numbers, INDArray codes, INDArray scales) {
    INDArray blocks = inBlocks(numbers, scales.length());
    scales.assign(Transforms.abs(blocks, true).max(1));
    INDArray divisors = scales.add(scales.eq(0).castTo(DataType.FLOAT)); // 1 instead of 0
    INDArray values = cut(blocks.diviColumnVector(divisors), numbers.length());
    INDArray code = Nd4j.zeros(DataType.INT32, numbers.length());
    float[] bounds = map.bounds();
    for (int bit = (bounds.length + 1) / 2; bit > 0; bit /= 2) {
      INDArray bound = lookUp(bounds, code.add(bit - 1));
      code.addi(values.gt(bound).castTo(DataType.INT32).muli(bit));
    }
    codes.assign(code.reshape(codes.shape()));
  }

  private static INDArray lookUp(float[] table, INDArray indices) {
    DynamicCustomOp gather =
        DynamicCustomOp.builder("gather")
            .addInputs(Nd4j.createFromArray(table), indices)
            .addIntegerArguments(0)
            .build();
    return Nd4j.exec(gather)[0];
  }

  /** A copy [blocks, BLOCK], padded with zeros. */
  private static INDArray inBlocks(INDArray numbers, long blocks) {
    INDArray padded = Nd4j.zeros(DataType.FLOAT, blocks * BLOCK);
    padded.get(NDArrayIndex.interval(0, numbers.length())).assign(numbers);
    return padded.reshape(blocks, BLOCK);
  }

  private static INDArray cut(INDArray blocks, long length) {
    return blocks.reshape(blocks.length()).get(NDArrayIndex.interval(0, length)).dup();
  }
}
