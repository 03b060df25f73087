package org.tokentune.ops;

import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.ops.internal.FusedBlocks;
import org.tokentune.quantization.BlockFormat;

/** {@link FusedBlocks} with ND4J's own ops: bits are extracted by floating-point arithmetic. */
final class NativeBlocks {

  private final SameDiff sd;

  private NativeBlocks(SameDiff sd) {
    this.sd = sd;
  }

  /** Converts UINT8 [n, bytes per row] to FLOAT [n, width]. */
  static SDVariable floats(BlockFormat format, SDVariable rows, long width) {
    NativeBlocks ops = new NativeBlocks(rows.getSameDiff());
    SDVariable blocks = rows.castTo(DataType.FLOAT).reshape(-1, format.bytes);
    SDVariable values =
        switch (format) {
          case F16 -> half(blocks, 0);
          case BF16 -> bfloat(blocks);
          case Q8_0 -> signed(bytes(blocks, 2, 34)).mul(half(blocks, 0));
          case Q4_K -> ops.q4k(blocks);
          case Q6_K -> ops.q6k(blocks);
          default -> throw new IllegalArgumentException(format + " has no native form");
        };
    return values.reshape(-1, width);
  }

  private static SDVariable bytes(SDVariable blocks, int from, int to) {
    return blocks.get(SDIndex.all(), SDIndex.interval(from, to));
  }

  /** A shift to the right by division. */
  private static SDVariable quotient(SDVariable x, double divisor) {
    return x.getSameDiff().math.floor(x.div(divisor));
  }

  /** The lowest bits, as a remainder. */
  private static SDVariable remainder(SDVariable x, double modulus) {
    return x.sub(quotient(x, modulus).mul(modulus));
  }

  /** Interprets bytes as signed numbers. */
  private static SDVariable signed(SDVariable bytes) {
    return bytes.sub(quotient(bytes, 128).mul(256));
  }

  /** Decodes a binary16 from two bytes: [n, 1]. */
  private static SDVariable half(SDVariable blocks, int at) {
    return number(blocks, at, 1024, 32, 25);
  }

  /** Decodes a bfloat16 from two bytes: [n, 1]. */
  private static SDVariable bfloat(SDVariable blocks) {
    return number(blocks, 0, 128, 256, 134);
  }

  /** {@code (-1)^sign 2^(exponent - bias) (one + fraction)}, finite. */
  private static SDVariable number(SDVariable blocks, int at, int one, int exponents, int bias) {
    SameDiff sd = blocks.getSameDiff();
    SDVariable bits = bytes(blocks, at + 1, at + 2).mul(256).add(bytes(blocks, at, at + 1));
    SDVariable exponent = remainder(quotient(bits, one), exponents);
    SDVariable normal = sd.math.min(exponent, sd.constant(1f));
    SDVariable fraction = remainder(bits, one).add(normal.mul(one));
    SDVariable power = sd.math.max(exponent, sd.constant(1f)).sub(bias);
    SDVariable sign = quotient(bits, 32768).mul(-2).add(1);
    // Two factors, because the power alone may be below the smallest float.
    SDVariable lower = sd.math.floor(power.div(2));
    SDVariable two = sd.constant(2f);
    return fraction.mul(sign).mul(sd.math.pow(two, lower)).mul(sd.math.pow(two, power.sub(lower)));
  }

  /** 256 elements, 144 bytes. */
  private SDVariable q4k(SDVariable blocks) {
    SDVariable first = bytes(blocks, 4, 8);
    SDVariable second = bytes(blocks, 8, 12);
    SDVariable third = bytes(blocks, 12, 16);
    SDVariable scales =
        sd.concat(1, remainder(first, 64), remainder(third, 16).add(quotient(first, 64).mul(16)));
    SDVariable minima =
        sd.concat(1, remainder(second, 64), quotient(third, 16).add(quotient(second, 64).mul(16)));
    SDVariable d = scales.mul(half(blocks, 0)).reshape(-1, 8, 1);
    SDVariable m = minima.mul(half(blocks, 2)).reshape(-1, 8, 1);
    SDVariable codes = bytes(blocks, 16, 144).reshape(-1, 4, 1, 32);
    SDVariable nibbles = sd.concat(2, remainder(codes, 16), quotient(codes, 16)).reshape(-1, 8, 32);
    return nibbles.mul(d).sub(m);
  }

  /** 256 elements, 210 bytes. */
  private SDVariable q6k(SDVariable blocks) {
    SDVariable lower = bytes(blocks, 0, 128).reshape(-1, 2, 1, 64);
    SDVariable four = sd.concat(2, remainder(lower, 16), quotient(lower, 16)).reshape(-1, 2, 4, 32);
    SDVariable upper = bytes(blocks, 128, 192).reshape(-1, 2, 1, 32);
    SDVariable two =
        sd.concat(
            2,
            remainder(upper, 4),
            remainder(quotient(upper, 4), 4),
            remainder(quotient(upper, 16), 4),
            quotient(upper, 64));
    SDVariable codes = four.add(two.mul(16)).sub(32).reshape(-1, 16, 16);
    SDVariable scales = signed(bytes(blocks, 192, 208)).reshape(-1, 16, 1);
    return codes.mul(scales).mul(half(blocks, 208).reshape(-1, 1, 1));
  }
}
