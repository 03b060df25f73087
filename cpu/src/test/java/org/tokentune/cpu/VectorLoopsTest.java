package org.tokentune.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokentune.ops.internal.kernels.VectorLoops;
import org.tokentune.quantization.BlockFormat;

/** Blocks decoded and multiplied in vectors, against {@link BlockFormat}. */
class VectorLoopsTest {

  private static final int BLOCKS = 9;

  /** Places of the 16-bit floats in a block. */
  private static int[] halves(BlockFormat format) {
    return switch (format) {
      case Q4_0, Q8_0 -> new int[] {0};
      case Q6_K -> new int[] {208};
      default -> new int[] {0, 2};
    };
  }

  /** Every code; scales of all magnitudes and both signs, 0 and subnormal ones, but finite. */
  private static byte[] blocks(BlockFormat format) {
    Random random = new Random(7);
    byte[] bytes = new byte[BLOCKS * format.bytes];
    random.nextBytes(bytes);
    for (int block = 0; block < BLOCKS; block++) {
      for (int half : halves(format)) {
        int at = block * format.bytes + half + 1;
        int exponent = new int[] {0, 0, 4, 40, 60, 64, 80, 120, 100}[block]; // in the high byte
        bytes[at] = (byte) ((bytes[at] & 0x83) | exponent);
      }
    }
    Arrays.fill(bytes, halves(format)[0], halves(format)[0] + 2, (byte) 0);
    return bytes;
  }

  private static VectorLoops loops() {
    return VectorLoops.provided().orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
  void decodes(BlockFormat format) {
    byte[] bytes = blocks(format);
    float[] expected = new float[BLOCKS * format.elements];
    float[] got = new float[expected.length];
    format.decode(bytes, expected, BLOCKS);
    loops().decode(format, bytes, got, BLOCKS);
    double worst = 0;
    for (int block = 0; block < BLOCKS; block++) {
      double largest = Double.MIN_NORMAL;
      double gap = 0;
      for (int i = block * format.elements; i < (block + 1) * format.elements; i++) {
        largest = Math.max(largest, Math.abs(expected[i]));
        gap = Math.max(gap, Math.abs(expected[i] - got[i]));
      }
      worst = Math.max(worst, gap / largest);
    }
    System.out.printf("%s: within %.1e of a block's largest number%n", format, worst);
    assertTrue(worst < 1e-7);
  }

  /** From any byte and number on, as rows follow each other. */
  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
  void multiplies(BlockFormat format) {
    byte[] bytes = blocks(format);
    float[] values = new float[BLOCKS * format.elements];
    format.decode(bytes, values, BLOCKS);
    Random random = new Random(8);
    float[] x = new float[2 * format.elements * BLOCKS];
    float[] sums = new float[x.length / VectorLoops.GROUP];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
      sums[i / VectorLoops.GROUP] += x[i];
    }
    double worst = 0;
    for (int block = 0; block < BLOCKS; block++) {
      int from = (BLOCKS + block) * format.elements;
      double sum = 0;
      double ofX = 0;
      double ofWeight = 0;
      for (int i = 0; i < format.elements; i++) {
        float weight = values[block * format.elements + i];
        sum += (double) weight * x[from + i];
        ofX += (double) x[from + i] * x[from + i];
        ofWeight += (double) weight * weight;
      }
      float got = loops().product(format, bytes, block * format.bytes, x, sums, from, 1);
      worst = Math.max(worst, Math.abs(got - sum) / Math.max(1e-30, Math.sqrt(ofX * ofWeight)));
    }
    System.out.printf("%s: within %.1e of double precision%n", format, worst);
    assertTrue(worst < 1e-6);
  }

  @Test
  void knowsOnlySomeFormats() {
    long known = Arrays.stream(BlockFormat.values()).filter(loops()::decodes).count();
    assertEquals(5, known);
  }
}
