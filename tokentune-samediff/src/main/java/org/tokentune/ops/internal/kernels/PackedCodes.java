package org.tokentune.ops.internal.kernels;

import org.tokentune.quantization.BlockFormat;
import org.tokentune.quantization.HalfPrecision;

/**
 * How a format's rows of blocks are read as unsigned codes of 8 bits, four in an int, for loops
 * over int arrays that the compiler vectorises. A row's codes are in one or two planes, arrays of
 * ints in which other bytes may lie between: these are multiplied by zeros.
 *
 * <p>An element is {@code scale (code - zero) - minimum}, with its group's scale and minimum. The
 * codes of a group are in consecutive ints of one plane, without any of another group's.
 */
abstract class PackedCodes {

  /** Conversion by table: calculated, a scale would take as long as its group's products. */
  private static final float[] HALVES = new float[1 << 16];

  static {
    for (int bits = 0; bits < HALVES.length; bits++) {
      HALVES[bits] = HalfPrecision.halfToFloat((short) bits);
    }
  }

  private static final int LOW_NIBBLES = 0x0f0f0f0f;

  /** Number of planes. */
  final int planes;

  /** Ints of a row's bytes, the last one possibly in part. */
  final int rawInts;

  /** Ints of a row in each plane. */
  final int ints;

  /** Groups in a row. */
  final int groups;

  /** Elements in a group. */
  final int groupSize;

  /** Subtracted from every code. */
  final int zero;

  /** Bits of a plane's ints that are the opposite of the codes'. */
  final int flipped;

  private PackedCodes(
      int planes, long rowBytes, int ints, int groups, int groupSize, int zero, int flipped) {
    this.planes = planes;
    rawInts = Math.toIntExact((rowBytes + 3) / 4);
    this.ints = ints;
    this.groups = groups;
    this.groupSize = groupSize;
    this.zero = zero;
    this.flipped = flipped;
  }

  /** Whether a format's rows can be read in this way. */
  static boolean supports(BlockFormat format) {
    return format == BlockFormat.Q8_0 || format == BlockFormat.Q4_K || format == BlockFormat.Q6_K;
  }

  /** The codes of rows of this many elements. */
  static PackedCodes of(BlockFormat format, int width) {
    int blocks = width / format.elements;
    return switch (format) {
      case Q8_0 -> new Q80(blocks);
      case Q4_K -> new Q4k(blocks);
      case Q6_K -> new Q6k(blocks);
      default -> throw new IllegalArgumentException(format + " is not read as codes");
    };
  }

  /** The plane of a group. */
  abstract int planeOf(int group);

  /** The first int of a group in its plane. */
  abstract int start(int group);

  /** Ints of a group: 4, 8 or 9. */
  abstract int length(int group);

  /** The byte of a group's first code in its plane; the others follow. */
  abstract int firstByte(int group);

  /**
   * Reads rows.
   *
   * @param raw the rows' bytes as little-endian ints, {@code rawInts} for a row
   * @param codes receives the planes of all rows, {@code ints} for a row, in its arrays or in
   *     others
   * @param scales receives those of the rows' groups
   * @param minima likewise
   */
  abstract void read(int[] raw, int rows, int[][] codes, float[] scales, float[] minima);

  /** A half in the lower 16 bits of an int. */
  private static float half(int bits) {
    return HALVES[bits & 0xffff];
  }

  private static int byteOf(int[] ints, int from, int number) {
    return (ints[from + number / 4] >>> (number % 4 * 8)) & 255;
  }

  /** A pair of blocks of 34 bytes is 17 ints, of which one has the end of the first's codes. */
  private static final class Q80 extends PackedCodes {

    Q80(int blocks) {
      super(1, 34L * blocks, (34 * blocks + 3) / 4, blocks, 32, 128, 0x80808080);
    }

    @Override
    int planeOf(int group) {
      return 0;
    }

    @Override
    int start(int group) {
      return group / 2 * 17 + group % 2 * 9;
    }

    @Override
    int length(int group) {
      return 9 - group % 2;
    }

    @Override
    int firstByte(int group) {
      return 34 * group + 2;
    }

    @Override
    void read(int[] raw, int rows, int[][] codes, float[] scales, float[] minima) {
      for (int row = 0; row < rows; row++) {
        for (int group = 0; group < groups; group++) {
          int start = row * ints + start(group);
          scales[row * groups + group] = half(group % 2 == 0 ? raw[start] : raw[start - 1] >>> 16);
        }
      }
      codes[0] = raw;
    }
  }

  /** A block is 36 ints: the scale of scales and of minima, 3 ints of these, 32 of codes. */
  private static final class Q4k extends PackedCodes {

    Q4k(int blocks) {
      super(2, 144L * blocks, 36 * blocks, 8 * blocks, 32, 0, 0);
    }

    @Override
    int planeOf(int group) {
      return group % 2;
    }

    @Override
    int start(int group) {
      return group / 8 * 36 + 4 + group % 8 / 2 * 8;
    }

    @Override
    int length(int group) {
      return 8;
    }

    @Override
    int firstByte(int group) {
      return 4 * start(group);
    }

    @Override
    void read(int[] raw, int rows, int[][] codes, float[] scales, float[] minima) {
      nibbles(raw, codes[0], codes[1], rows * ints);
      for (int block = 0; block < rows * groups / 8; block++) {
        int at = block * 36;
        float d = half(raw[at]);
        float m = half(raw[at] >>> 16);
        int first = raw[at + 1];
        int second = raw[at + 2];
        int third = raw[at + 3];
        int upper = (third & LOW_NIBBLES) | ((first >>> 6 & 0x03030303) << 4);
        int upperMinima = (third >>> 4 & LOW_NIBBLES) | ((second >>> 6 & 0x03030303) << 4);
        for (int i = 0; i < 4; i++) {
          scales[8 * block + i] = d * (first >>> (8 * i) & 63);
          scales[8 * block + 4 + i] = d * (upper >>> (8 * i) & 63);
          minima[8 * block + i] = m * (second >>> (8 * i) & 63);
          minima[8 * block + 4 + i] = m * (upperMinima >>> (8 * i) & 63);
        }
      }
    }

    private static void nibbles(int[] raw, int[] low, int[] high, int length) {
      for (int i = 0; i < length; i++) {
        low[i] = raw[i] & LOW_NIBBLES;
        high[i] = raw[i] >>> 4 & LOW_NIBBLES;
      }
    }
  }

  /** A block's codes are put together from 32 ints of lower bits and 16 of upper ones. */
  private static final class Q6k extends PackedCodes {

    private final int blocks;

    Q6k(int blocks) {
      super(1, 210L * blocks, 64 * blocks, 16 * blocks, 16, 32, 0);
      this.blocks = blocks;
    }

    @Override
    int planeOf(int group) {
      return 0;
    }

    @Override
    int start(int group) {
      return 4 * group;
    }

    @Override
    int length(int group) {
      return 4;
    }

    @Override
    int firstByte(int group) {
      return 16 * group;
    }

    @Override
    void read(int[] raw, int rows, int[][] codes, float[] scales, float[] minima) {
      for (int row = 0; row < rows; row++) {
        for (int block = 0; block < blocks; block++) {
          int from = row * rawInts + block * 210 / 4;
          int shift = block % 2 * 16; // every other block begins in the middle of an int
          int to = (row * blocks + block) * 64;
          unpack(raw, from, shift, codes[0], to);
          float d = half(raw[from + 52] >>> shift);
          for (int i = 0; i < 16; i++) {
            int scale = (byte) byteOf(raw, from, 192 + shift / 8 + i);
            scales[(row * blocks + block) * 16 + i] = d * scale;
          }
        }
      }
    }

    private static void unpack(int[] raw, int from, int shift, int[] codes, int to) {
      for (int half = 0; half < 2; half++) {
        for (int i = 0; i < 8; i++) {
          int first = at(raw, from + 16 * half + i, shift);
          int second = at(raw, from + 16 * half + 8 + i, shift);
          int upper = at(raw, from + 32 + 8 * half + i, shift);
          int code = to + 32 * half + i;
          codes[code] = (first & LOW_NIBBLES) | ((upper & 0x03030303) << 4);
          codes[code + 8] = (second & LOW_NIBBLES) | ((upper >>> 2 & 0x03030303) << 4);
          codes[code + 16] = (first >>> 4 & LOW_NIBBLES) | ((upper >>> 4 & 0x03030303) << 4);
          codes[code + 24] = (second >>> 4 & LOW_NIBBLES) | ((upper >>> 6 & 0x03030303) << 4);
        }
      }
    }

    private static int at(int[] raw, int index, int shift) {
      return shift == 0 ? raw[index] : (raw[index] >>> 16) | (raw[index + 1] << 16);
    }
  }
}
