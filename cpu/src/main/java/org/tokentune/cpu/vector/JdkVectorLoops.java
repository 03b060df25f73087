package org.tokentune.cpu.vector;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.tokentune.ops.internal.kernels.VectorLoops;
import org.tokentune.quantization.BlockFormat;
import org.tokentune.quantization.HalfPrecision;

/** The loops by Java's vector API, in vectors of the processor's preferred length. */
public final class JdkVectorLoops implements VectorLoops {

  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  private static final int LANES = FLOATS.length();

  /** As many bytes as floats. */
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(8 * LANES));

  @Override
  public boolean decodes(BlockFormat format) {
    return switch (format) {
      case Q4_0, Q8_0, Q4_K, Q5_K, Q6_K -> true;
      default -> false;
    };
  }

  @Override
  public void decode(BlockFormat format, byte[] in, float[] out, int blocks) {
    switch (format) {
      case Q4_0 -> q40(in, out, blocks);
      case Q8_0 -> q80(in, out, blocks);
      case Q4_K -> q4k(in, out, blocks);
      case Q5_K -> q5k(in, out, blocks);
      case Q6_K -> q6k(in, out, blocks);
      default -> throw new IllegalArgumentException(format + " is not decoded in vectors");
    }
  }

  private static void q80(byte[] in, float[] out, int blocks) {
    for (int block = 0; block < blocks; block++) {
      int at = block * 34;
      FloatVector d = FloatVector.broadcast(FLOATS, half(in, at));
      for (int i = 0; i < 32; i += LANES) {
        floats(in, at + 2 + i).mul(d).intoArray(out, block * 32 + i);
      }
    }
  }

  private static void q40(byte[] in, float[] out, int blocks) {
    for (int block = 0; block < blocks; block++) {
      int at = block * 18;
      int to = block * 32;
      float d = half(in, at);
      for (int i = 0; i < 16; i += LANES) {
        IntVector codes = ints(in, at + 2 + i);
        scaled(codes.and(15), d, -8 * d).intoArray(out, to + i);
        scaled(codes.lanewise(LSHR, 4).and(15), d, -8 * d).intoArray(out, to + 16 + i);
      }
    }
  }

  private static void q4k(byte[] in, float[] out, int blocks) {
    for (int block = 0; block < blocks; block++) {
      int at = block * 144;
      float d = half(in, at);
      float m = half(in, at + 2);
      for (int group = 0; group < 8; group += 2) {
        int from = at + 16 + group * 16;
        int to = block * 256 + group * 32;
        float low = d * scale(in, at + 4, group);
        float high = d * scale(in, at + 4, group + 1);
        float lowMinimum = -m * minimum(in, at + 4, group);
        float highMinimum = -m * minimum(in, at + 4, group + 1);
        for (int i = 0; i < 32; i += LANES) {
          IntVector codes = ints(in, from + i);
          scaled(codes.and(15), low, lowMinimum).intoArray(out, to + i);
          scaled(codes.lanewise(LSHR, 4).and(15), high, highMinimum).intoArray(out, to + 32 + i);
        }
      }
    }
  }

  private static void q5k(byte[] in, float[] out, int blocks) {
    for (int block = 0; block < blocks; block++) {
      int at = block * 176;
      float d = half(in, at);
      float m = half(in, at + 2);
      for (int group = 0; group < 8; group++) {
        int from = at + 48 + group / 2 * 32;
        int to = block * 256 + group * 32;
        int shift = group % 2 * 4;
        float scale = d * scale(in, at + 4, group);
        float minimum = -m * minimum(in, at + 4, group);
        for (int i = 0; i < 32; i += LANES) {
          IntVector fifth = ints(in, at + 16 + i).lanewise(LSHR, group).and(1);
          IntVector codes = ints(in, from + i).lanewise(LSHR, shift).and(15);
          scaled(codes.add(fifth.mul(16)), scale, minimum).intoArray(out, to + i);
        }
      }
    }
  }

  private static void q6k(byte[] in, float[] out, int blocks) {
    for (int block = 0; block < blocks; block++) {
      int at = block * 210;
      float d = half(in, at + 208);
      for (int quarter = 0; quarter < 8; quarter++) { // 32 elements
        int lower = at + quarter / 4 * 64 + quarter % 2 * 32;
        int upper = at + 128 + quarter / 4 * 32;
        int shift = quarter % 4 / 2 * 4;
        int upperShift = quarter % 4 * 2;
        int to = block * 256 + quarter * 32;
        for (int i = 0; i < 32; i += LANES) {
          float scale = d * in[at + 192 + quarter * 2 + i / 16];
          IntVector codes = ints(in, lower + i).lanewise(LSHR, shift).and(15);
          IntVector high = ints(in, upper + i).lanewise(LSHR, upperShift).and(3);
          scaled(codes.add(high.mul(16)), scale, -32 * scale).intoArray(out, to + i);
        }
      }
    }
  }

  private static FloatVector floats(byte[] in, int at) {
    return (FloatVector) ByteVector.fromArray(BYTES, in, at).convertShape(B2F, FLOATS, 0);
  }

  private static IntVector ints(byte[] in, int at) {
    return (IntVector) ByteVector.fromArray(BYTES, in, at).convertShape(B2I, INTS, 0);
  }

  private static FloatVector scaled(IntVector codes, float scale, float offset) {
    FloatVector values = (FloatVector) codes.convert(I2F, 0);
    return values.fma(FloatVector.broadcast(FLOATS, scale), FloatVector.broadcast(FLOATS, offset));
  }

  private static float half(byte[] in, int at) {
    return HalfPrecision.halfToFloat((short) ((in[at] & 255) | in[at + 1] << 8));
  }

  private static int scale(byte[] in, int at, int group) {
    return group < 4
        ? in[at + group] & 63
        : (in[at + 4 + group] & 15) + 16 * (in[at + group - 4] >> 6 & 3);
  }

  private static int minimum(byte[] in, int at, int group) {
    return group < 4
        ? in[at + 4 + group] & 63
        : (in[at + 4 + group] >> 4 & 15) + 16 * (in[at + group] >> 6 & 3);
  }

  @Override
  public float product(
      BlockFormat format, byte[] in, int at, float[] x, float[] sums, int from, int blocks) {
    return switch (format) {
      case Q4_0 -> q40(in, at, x, sums, from, blocks);
      case Q8_0 -> q80(in, at, x, from, blocks);
      case Q4_K -> q4k(in, at, x, sums, from, blocks);
      case Q5_K -> q5k(in, at, x, sums, from, blocks);
      case Q6_K -> q6k(in, at, x, from, blocks);
      default -> throw new IllegalArgumentException(format + " is not decoded in vectors");
    };
  }

  private static float q80(byte[] in, int start, float[] x, int from, int blocks) {
    FloatVector total = FloatVector.zero(FLOATS);
    for (int block = 0; block < blocks; block++) {
      int at = start + block * 34;
      int of = from + block * 32;
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = 0; i < 32; i += LANES) {
        sum = floats(in, at + 2 + i).fma(FloatVector.fromArray(FLOATS, x, of + i), sum);
      }
      total = sum.fma(FloatVector.broadcast(FLOATS, half(in, at)), total);
    }
    return total.reduceLanes(ADD);
  }

  private static float q40(byte[] in, int start, float[] x, float[] sums, int from, int blocks) {
    FloatVector total = FloatVector.zero(FLOATS);
    float offset = 0;
    for (int block = 0; block < blocks; block++) {
      int at = start + block * 18;
      int of = from + block * 32;
      float d = half(in, at);
      FloatVector low = FloatVector.zero(FLOATS);
      FloatVector high = low;
      for (int i = 0; i < 16; i += LANES) {
        IntVector codes = ints(in, at + 2 + i);
        low = product(codes.and(15), x, of + i, low);
        high = product(codes.lanewise(LSHR, 4).and(15), x, of + 16 + i, high);
      }
      total = low.add(high).fma(FloatVector.broadcast(FLOATS, d), total);
      offset += 8 * d * sums[of / GROUP];
    }
    return total.reduceLanes(ADD) - offset;
  }

  private static float q4k(byte[] in, int start, float[] x, float[] sums, int from, int blocks) {
    FloatVector total = FloatVector.zero(FLOATS);
    float offset = 0;
    for (int block = 0; block < blocks; block++) {
      int at = start + block * 144;
      float d = half(in, at);
      float m = half(in, at + 2);
      for (int group = 0; group < 8; group += 2) {
        int of = from + block * 256 + group * 32;
        int code = at + 16 + group * 16;
        FloatVector low = FloatVector.zero(FLOATS);
        FloatVector high = low;
        for (int i = 0; i < 32; i += LANES) {
          IntVector codes = ints(in, code + i);
          low = product(codes.and(15), x, of + i, low);
          high = product(codes.lanewise(LSHR, 4).and(15), x, of + 32 + i, high);
        }
        total = low.fma(FloatVector.broadcast(FLOATS, d * scale(in, at + 4, group)), total);
        total = high.fma(FloatVector.broadcast(FLOATS, d * scale(in, at + 4, group + 1)), total);
        offset +=
            m * minimum(in, at + 4, group) * sums[of / GROUP]
                + m * minimum(in, at + 4, group + 1) * sums[of / GROUP + 1];
      }
    }
    return total.reduceLanes(ADD) - offset;
  }

  private static float q5k(byte[] in, int start, float[] x, float[] sums, int from, int blocks) {
    FloatVector total = FloatVector.zero(FLOATS);
    float offset = 0;
    for (int block = 0; block < blocks; block++) {
      int at = start + block * 176;
      float d = half(in, at);
      float m = half(in, at + 2);
      for (int group = 0; group < 8; group++) {
        int of = from + block * 256 + group * 32;
        int code = at + 48 + group / 2 * 32;
        int shift = group % 2 * 4;
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = 0; i < 32; i += LANES) {
          IntVector fifth = ints(in, at + 16 + i).lanewise(LSHR, group).and(1);
          IntVector codes = ints(in, code + i).lanewise(LSHR, shift).and(15);
          sum = product(codes.or(fifth.lanewise(LSHL, 4)), x, of + i, sum);
        }
        total = sum.fma(FloatVector.broadcast(FLOATS, d * scale(in, at + 4, group)), total);
        offset += m * minimum(in, at + 4, group) * sums[of / GROUP];
      }
    }
    return total.reduceLanes(ADD) - offset;
  }

  private static float q6k(byte[] in, int start, float[] x, int from, int blocks) {
    FloatVector total = FloatVector.zero(FLOATS);
    for (int block = 0; block < blocks; block++) {
      int at = start + block * 210;
      float d = half(in, at + 208);
      for (int part = 0; part < 8; part++) { // of 32 elements
        int lower = at + part / 4 * 64 + part % 2 * 32;
        int upper = at + 128 + part / 4 * 32;
        int shift = part % 4 / 2 * 4;
        int upperShift = part % 4 * 2;
        int of = from + block * 256 + part * 32;
        for (int i = 0; i < 32; i += LANES) {
          IntVector codes = ints(in, lower + i).lanewise(LSHR, shift).and(15);
          IntVector high = ints(in, upper + i).lanewise(LSHR, upperShift).and(3);
          FloatVector values =
              (FloatVector) codes.or(high.lanewise(LSHL, 4)).sub(32).convert(I2F, 0);
          float scale = d * in[at + 192 + part * 2 + i / 16];
          total =
              values
                  .mul(FloatVector.broadcast(FLOATS, scale))
                  .fma(FloatVector.fromArray(FLOATS, x, of + i), total);
        }
      }
    }
    return total.reduceLanes(ADD);
  }

  /** The sum, and the products of codes and some elements of x. */
  private static FloatVector product(IntVector codes, float[] x, int at, FloatVector sum) {
    FloatVector values = (FloatVector) codes.convert(I2F, 0);
    return values.fma(FloatVector.fromArray(FLOATS, x, at), sum);
  }
}
