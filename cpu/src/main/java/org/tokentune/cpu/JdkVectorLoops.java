package org.tokentune.cpu;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
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

  /** As many bytes as floats; there are no vectors of four bytes. */
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * LANES)));

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  @Override
  public boolean isFast() {
    return LANES >= 8 && VirtualMachine.compilesVectors();
  }

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
      long scales = scales(in, at + 4);
      long minima = minima(in, at + 4);
      for (int group = 0; group < 8; group += 2) {
        int from = at + 16 + group * 16;
        int to = block * 256 + group * 32;
        float low = d * part(scales, group);
        float high = d * part(scales, group + 1);
        float lowMinimum = -m * part(minima, group);
        float highMinimum = -m * part(minima, group + 1);
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
      long scales = scales(in, at + 4);
      long minima = minima(in, at + 4);
      for (int group = 0; group < 8; group += 2) {
        int from = at + 48 + group * 16;
        int to = block * 256 + group * 32;
        float low = d * part(scales, group);
        float high = d * part(scales, group + 1);
        float lowMinimum = -m * part(minima, group);
        float highMinimum = -m * part(minima, group + 1);
        for (int i = 0; i < 32; i += LANES) {
          IntVector codes = ints(in, from + i);
          IntVector fifth = ints(in, at + 16 + i).lanewise(LSHR, group);
          scaled(lowFive(codes, fifth), low, lowMinimum).intoArray(out, to + i);
          scaled(highFive(codes, fifth), high, highMinimum).intoArray(out, to + 32 + i);
        }
      }
    }
  }

  private static void q6k(byte[] in, float[] out, int blocks) {
    for (int block = 0; block < blocks; block++) {
      int at = block * 210;
      float d = half(in, at + 208);
      for (int part = 0; part < 4; part++) { // 32 elements, and 32 others 64 after them
        int lower = at + part * 32;
        int upper = at + 128 + part / 2 * 32;
        int shift = part % 2 * 2;
        int scales = at + 192 + part / 2 * 8 + shift;
        int to = block * 256 + part / 2 * 128 + part % 2 * 32;
        for (int i = 0; i < 32; i += LANES) {
          IntVector codes = ints(in, lower + i);
          IntVector high = ints(in, upper + i).lanewise(LSHR, shift);
          float scale = d * in[scales + i / 16];
          float second = d * in[scales + 4 + i / 16];
          scaled(lowSix(codes, high), scale, 0).intoArray(out, to + i);
          scaled(highSix(codes, high), second, 0).intoArray(out, to + 64 + i);
        }
      }
    }
  }

  /** Numbers of Q6_K: the low four bits, and the lowest two above them. */
  private static IntVector lowSix(IntVector codes, IntVector high) {
    return codes.and(15).or(high.and(3).lanewise(LSHL, 4)).sub(32);
  }

  /** The next four bits, and the two above them. */
  private static IntVector highSix(IntVector codes, IntVector high) {
    return codes.lanewise(LSHR, 4).and(15).or(high.and(48)).sub(32);
  }

  /** Codes of Q5_K: the low four bits, and the lowest fifth one. */
  private static IntVector lowFive(IntVector codes, IntVector fifth) {
    return codes.and(15).or(fifth.and(1).lanewise(LSHL, 4));
  }

  /** The next four bits, and the next fifth one. */
  private static IntVector highFive(IntVector codes, IntVector fifth) {
    return codes.lanewise(LSHR, 4).and(15).or(fifth.and(2).lanewise(LSHL, 3));
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

  /** The scales of the eight groups of Q4_K and Q5_K, a byte each. */
  private static long scales(byte[] in, int at) {
    int low = int32(in, at);
    int high = (int32(in, at + 8) & 0x0f0f0f0f) | (low >>> 2 & 0x30303030);
    return bytes(low & 0x3f3f3f3f, high);
  }

  /** Likewise the minima. */
  private static long minima(byte[] in, int at) {
    int low = int32(in, at + 4);
    int high = (int32(in, at + 8) >>> 4 & 0x0f0f0f0f) | (low >>> 2 & 0x30303030);
    return bytes(low & 0x3f3f3f3f, high);
  }

  private static int int32(byte[] in, int at) {
    return (int) INT.get(in, at);
  }

  private static long bytes(int low, int high) {
    return low | (long) high << 32;
  }

  /** A byte of eight. */
  private static int part(long bytes, int number) {
    return (int) (bytes >>> 8 * number) & 255;
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
      long scales = scales(in, at + 4);
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
        total = low.fma(FloatVector.broadcast(FLOATS, d * part(scales, group)), total);
        total = high.fma(FloatVector.broadcast(FLOATS, d * part(scales, group + 1)), total);
      }
      offset += half(in, at + 2) * minimum(minima(in, at + 4), sums, (from + block * 256) / GROUP);
    }
    return total.reduceLanes(ADD) - offset;
  }

  /** The sum of the minima of eight groups, each times the sum of the elements of x there. */
  private static float minimum(long minima, float[] sums, int at) {
    float first = 0;
    float second = 0;
    for (int group = 0; group < 4; group++) {
      first += part(minima, group) * sums[at + group];
      second += part(minima, group + 4) * sums[at + group + 4];
    }
    return first + second;
  }

  private static float q5k(byte[] in, int start, float[] x, float[] sums, int from, int blocks) {
    FloatVector total = FloatVector.zero(FLOATS);
    float offset = 0;
    for (int block = 0; block < blocks; block++) {
      int at = start + block * 176;
      float d = half(in, at);
      long scales = scales(in, at + 4);
      for (int group = 0; group < 8; group += 2) {
        int of = from + block * 256 + group * 32;
        int code = at + 48 + group * 16;
        FloatVector low = FloatVector.zero(FLOATS);
        FloatVector high = low;
        for (int i = 0; i < 32; i += LANES) {
          IntVector codes = ints(in, code + i);
          IntVector fifth = ints(in, at + 16 + i).lanewise(LSHR, group);
          low = product(lowFive(codes, fifth), x, of + i, low);
          high = product(highFive(codes, fifth), x, of + 32 + i, high);
        }
        total = low.fma(FloatVector.broadcast(FLOATS, d * part(scales, group)), total);
        total = high.fma(FloatVector.broadcast(FLOATS, d * part(scales, group + 1)), total);
      }
      offset += half(in, at + 2) * minimum(minima(in, at + 4), sums, (from + block * 256) / GROUP);
    }
    return total.reduceLanes(ADD) - offset;
  }

  private static float q6k(byte[] in, int start, float[] x, int from, int blocks) {
    FloatVector total = FloatVector.zero(FLOATS);
    for (int block = 0; block < blocks; block++) {
      int at = start + block * 210;
      float d = half(in, at + 208);
      for (int part = 0; part < 4; part++) { // 32 elements, and 32 others 64 after them
        int lower = at + part * 32;
        int upper = at + 128 + part / 2 * 32;
        int shift = part % 2 * 2;
        int scales = at + 192 + part / 2 * 8 + shift;
        int of = from + block * 256 + part / 2 * 128 + part % 2 * 32;
        for (int i = 0; i < 32; i += LANES) {
          IntVector codes = ints(in, lower + i);
          IntVector high = ints(in, upper + i).lanewise(LSHR, shift);
          float scale = d * in[scales + i / 16];
          float second = d * in[scales + 4 + i / 16];
          total = product(lowSix(codes, high), scale, x, of + i, total);
          total = product(highSix(codes, high), second, x, of + 64 + i, total);
        }
      }
    }
    return total.reduceLanes(ADD);
  }

  /** The sum, and the products of codes times a scale and some elements of x. */
  private static FloatVector product(
      IntVector codes, float scale, float[] x, int at, FloatVector sum) {
    FloatVector values = (FloatVector) codes.convert(I2F, 0);
    return values
        .mul(FloatVector.broadcast(FLOATS, scale))
        .fma(FloatVector.fromArray(FLOATS, x, at), sum);
  }

  /** The sum, and the products of codes and some elements of x. */
  private static FloatVector product(IntVector codes, float[] x, int at, FloatVector sum) {
    FloatVector values = (FloatVector) codes.convert(I2F, 0);
    return values.fma(FloatVector.fromArray(FLOATS, x, at), sum);
  }
}
