package org.tokentune.quantization;

import static org.tokentune.Arguments.required;

/**
 * IEEE 754 binary16 and bfloat16 (the upper half of a binary32) as bits; Java 17 has no methods for
 * them. Conversion to float is exact; conversion from float rounds to nearest, ties to even.
 */
public final class HalfPrecision {

  private HalfPrecision() {}

  public static float halfToFloat(short half) {
    int exponent = half & 0x7c00;
    int fraction = half & 0x3ff;
    if (exponent == 0) { // zero or subnormal
      float magnitude = fraction * 0x1p-24f;
      return half < 0 ? -magnitude : magnitude;
    }
    int widened = exponent == 0x7c00 ? 0x7f800000 : (exponent << 13) + (112 << 23);
    return Float.intBitsToFloat((half & 0x8000) << 16 | widened | fraction << 13);
  }

  public static short floatToHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    float magnitude = Math.abs(value);
    if (Float.isNaN(value)) {
      return (short) (sign | 0x7e00);
    }
    if (magnitude >= 65520) { // rounds past the largest, 65504
      return (short) (sign | 0x7c00);
    }
    if (magnitude < 0x1p-14f) { // subnormal: a whole number of 2^-24
      return (short) (sign | (int) Math.rint(magnitude * 0x1p24));
    }
    int magnitudeBits = (bits & 0x7fffffff) - (112 << 23);
    return (short) (sign | roundedShift(magnitudeBits, 13));
  }

  public static float bfloatToFloat(short bfloat) {
    return Float.intBitsToFloat(bfloat << 16);
  }

  public static short floatToBfloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40); // rounding could turn it into infinity
    }
    return (short) ((bits >>> 16 & 0x8000) | roundedShift(bits & 0x7fffffff, 16));
  }

  /**
   * The nearest value of a type.
   *
   * @param type {@code float16} or {@code bfloat16}; any other leaves the value as it is
   */
  public static float rounded(float value, String type) {
    required(type, "type");
    return switch (type) {
      case "float16" -> halfToFloat(floatToHalf(value));
      case "bfloat16" -> bfloatToFloat(floatToBfloat(value));
      default -> value;
    };
  }

  /** {@code bits / 2^shift}, rounded to nearest, ties to even; a carry goes into the exponent. */
  private static int roundedShift(int bits, int shift) {
    int even = bits >>> shift & 1;
    return (bits + (1 << (shift - 1)) - 1 + even) >>> shift;
  }
}
