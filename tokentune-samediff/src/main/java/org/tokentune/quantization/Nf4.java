package org.tokentune.quantization;

/**
 * The 4-bit NormalFloat of QLoRA (Dettmers et al., 2023), bit-identical to bitsandbytes: each block
 * of 64 numbers is divided by its largest magnitude, and every number is replaced by the nearest of
 * 16 levels. The blocks' scales, minus their mean, are themselves quantised to 8 bits in blocks of
 * 256 ("double quantisation").
 *
 * @param codes two per byte, the first in the high half; whole blocks, padded with zeros
 * @param scaleCodes a {@link DynamicMap#SIGNED} code for each block
 * @param scaleScales the scale of each block of scale codes
 * @param offset mean of the scales
 */
public record Nf4(byte[] codes, byte[] scaleCodes, float[] scaleScales, float offset) {

  /** Numbers per block. */
  public static final int BLOCK = 64;

  /** Scales per block of scales. */
  public static final int SCALES = 256;

  /** Quantiles of the normal distribution, including 0 (QLoRA, appendix E). */
  private static final float[] LEVELS = {
    -1.0f,
    -0.6961928f,
    -0.52507305f,
    -0.3949175f,
    -0.28444138f,
    -0.18477343f,
    -0.091050036f,
    0.0f,
    0.0795803f,
    0.1609302f,
    0.2461123f,
    0.33791524f,
    0.44070983f,
    0.562617f,
    0.72295684f,
    1.0f
  };

  /** The numbers of the 16 codes. */
  public static float[] levels() {
    return LEVELS.clone();
  }

  /** Number of blocks for this many numbers; the last may be partial. */
  public static int blocks(long numbers) {
    return Math.toIntExact((numbers + BLOCK - 1) / BLOCK);
  }

  /** Number of blocks for this many scales. */
  public static int scaleBlocks(int blocks) {
    return (blocks + SCALES - 1) / SCALES;
  }

  /** Quantises an array. */
  public static Nf4 quantize(float[] values) {
    int blocks = blocks(values.length);
    byte[] codes = new byte[blocks * BLOCK / 2];
    float[] scales = new float[blocks];
    for (int block = 0; block < blocks; block++) {
      int from = block * BLOCK;
      int to = Math.min(values.length, from + BLOCK);
      float scale = 0;
      for (int i = from; i < to; i++) {
        scale = Math.max(scale, Math.abs(values[i]));
      }
      scales[block] = scale;
      for (int i = from; i < to; i++) {
        int code = nearest(values[i] / scale);
        codes[i / 2] |= (byte) (i % 2 == 0 ? code << 4 : code);
      }
    }
    double sum = 0;
    for (float scale : scales) {
      sum += scale;
    }
    float offset = (float) (sum / blocks);
    byte[] scaleCodes = new byte[blocks];
    float[] scaleScales = new float[scaleBlocks(blocks)];
    for (int i = 0; i < scaleScales.length; i++) {
      int to = Math.min(blocks, (i + 1) * SCALES);
      for (int block = i * SCALES; block < to; block++) {
        scaleScales[i] = Math.max(scaleScales[i], Math.abs(scales[block] - offset));
      }
      for (int block = i * SCALES; block < to; block++) {
        scaleCodes[block] =
            (byte) DynamicMap.SIGNED.nearest((scales[block] - offset) / scaleScales[i]);
      }
    }
    return new Nf4(codes, scaleCodes, scaleScales, offset);
  }

  /** Code of the nearest level; the lower one in a tie, 0 for NaN (a block of zeros). */
  private static int nearest(float value) {
    int nearest = 0;
    float least = Math.abs(value - LEVELS[0]);
    for (int code = 1; code < LEVELS.length; code++) {
      float distance = Math.abs(value - LEVELS[code]);
      if (distance < least) {
        least = distance;
        nearest = code;
      }
    }
    return nearest;
  }
}
