package org.tokentune.ops.internal.kernels;

/** Dropout masks: a hash of a row key and a column key decides whether an element is dropped. */
public final class DropoutMask {

  // Odd factors, shared with the native form.
  public static final int ODD = 0x9E3779B1; // 2^32 / golden ratio, for numbering places
  public static final int NUMBERS = 0x27D4EB2F;
  public static final int SPREAD = 0x2C1B3C6D;
  public static final int MIX_1 = 0x85EBCA6B;
  public static final int MIX_2 = 0xC2B2AE35;

  private DropoutMask() {}

  /** Elements whose hash is below this are dropped; hashes are uniform over all integers. */
  public static int threshold(double rate) {
    return (int) (Math.round(rate * 0x1p32) + Integer.MIN_VALUE);
  }

  /** The bits of the scale factor where the hash reaches the threshold, otherwise those of 0. */
  public static void bits(
      int rowKey, int[] columnKeys, int threshold, int kept, int[] bits, int width) {
    for (int i = 0; i < width; i++) {
      int product = rowKey * columnKeys[i];
      int hash = (product ^ (product >> 15)) * SPREAD;
      // All ones where hash < threshold: the sign of the difference, corrected for overflow.
      int difference = hash - threshold;
      int below = (difference ^ ((hash ^ threshold) & (difference ^ hash))) >> 31;
      bits[i] = kept & ~below;
    }
  }

  /** Maps row or column numbers to odd, well-mixed keys, in place. */
  public static void keys(int[] numbers, int seed, int place) {
    int start = mix(seed + place * ODD);
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = mix(numbers[i] * NUMBERS + start) | 1;
    }
  }

  private static int mix(int x) {
    int a = (x ^ (x >> 16)) * MIX_1;
    int b = (a ^ (a >> 13)) * MIX_2;
    return b ^ (b >> 16);
  }
}
