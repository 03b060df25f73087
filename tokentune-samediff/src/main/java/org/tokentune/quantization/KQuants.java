package org.tokentune.quantization;

import static org.tokentune.quantization.HalfPrecision.floatToHalf;
import static org.tokentune.quantization.HalfPrecision.halfToFloat;

import java.util.Arrays;

/**
 * Quantisation to the K formats, by search: of several candidates for the scale of a group, the one
 * whose codes, with the scale refitted to them by least squares, err least (source: ggml's {@code
 * quantize_row_q4_K_ref} and {@code quantize_row_q6_K_ref}). Computed in floats and in the same
 * order, so that blocks are llama.cpp's.
 */
final class KQuants {

  private static final int Q4_GROUP = 32;
  private static final int Q4_GROUPS = 8;
  private static final int Q4_LARGEST = 15;
  private static final int Q4_STEPS = 20;

  /** Largest code of the scales and minima of Q4_K's groups. */
  private static final int SIX_BITS = 63;

  private static final int Q6_GROUP = 16;
  private static final int Q6_GROUPS = 16;

  /** Codes of Q6_K are from -32 to 31. */
  private static final int Q6_HALF = 32;

  private static final int Q6_STEPS = 9;

  /** A group whose numbers are all smaller than this is stored as zeros. */
  private static final float NOTHING = 1e-15f;

  private KQuants() {}

  /** A quantised group: {@code scale * code - minimum}. */
  private record Group(int[] codes, float scale, float minimum) {}

  /** Encodes 256 numbers as a block of {@link BlockFormat#Q4_K}. */
  static void encodeQ4(float[] in, int from, byte[] out, int at) {
    Arrays.fill(out, at, at + BlockFormat.Q4_K.bytes, (byte) 0);
    Group[] groups = new Group[Q4_GROUPS];
    float largestScale = 0;
    float largestMinimum = 0;
    for (int i = 0; i < Q4_GROUPS; i++) {
      groups[i] = groupOfQ4(in, from + i * Q4_GROUP);
      largestScale = Math.max(largestScale, groups[i].scale());
      largestMinimum = Math.max(largestMinimum, groups[i].minimum());
    }
    int packed = at + 4;
    packScales(groups, largestScale, largestMinimum, out, packed);
    short scaleOfScales = floatToHalf(largestScale / SIX_BITS);
    short scaleOfMinima = floatToHalf(largestMinimum / SIX_BITS);
    BlockFormat.putInt16(scaleOfScales, out, at);
    BlockFormat.putInt16(scaleOfMinima, out, at + 2);
    for (int group = 0; group < Q4_GROUPS; group++) {
      float d = halfToFloat(scaleOfScales) * BlockFormat.scale(out, packed, group);
      float m = halfToFloat(scaleOfMinima) * BlockFormat.minimum(out, packed, group);
      for (int i = 0; i < Q4_GROUP; i++) {
        float value = in[from + group * Q4_GROUP + i];
        int code = d == 0 ? groups[group].codes()[i] : limited((value + m) / d, 0, Q4_LARGEST);
        out[at + 16 + group / 2 * Q4_GROUP + i] |= (byte) (code << (group % 2 * 4));
      }
    }
  }

  private static void packScales(
      Group[] groups, float largestScale, float largestMinimum, byte[] out, int at) {
    float toScale = largestScale > 0 ? SIX_BITS / largestScale : 0;
    float toMinimum = largestMinimum > 0 ? SIX_BITS / largestMinimum : 0;
    for (int i = 0; i < Q4_GROUPS; i++) {
      int scale = limited(toScale * groups[i].scale(), 0, SIX_BITS);
      int minimum = limited(toMinimum * groups[i].minimum(), 0, SIX_BITS);
      if (i < 4) {
        out[at + i] = (byte) scale;
        out[at + 4 + i] = (byte) minimum;
      } else {
        out[at + 4 + i] = (byte) ((scale & 15) | ((minimum & 15) << 4));
        out[at + i - 4] |= (byte) ((scale >> 4) << 6);
        out[at + i] |= (byte) ((minimum >> 4) << 6);
      }
    }
  }

  /** Numbers far from 0 count more. */
  private static Group groupOfQ4(float[] in, int from) {
    float squares = 0;
    for (int i = 0; i < Q4_GROUP; i++) {
      squares += in[from + i] * in[from + i];
    }
    float average = (float) Math.sqrt(squares / Q4_GROUP);
    float[] weights = new float[Q4_GROUP];
    float least = in[from];
    float most = in[from];
    float sumW = 0;
    float sumX = 0;
    for (int i = 0; i < Q4_GROUP; i++) {
      float x = in[from + i];
      weights[i] = average + Math.abs(x);
      least = Math.min(least, x);
      most = Math.max(most, x);
      sumW += weights[i];
      sumX += weights[i] * x;
    }
    least = Math.min(least, 0);
    if (most == least) {
      return new Group(new int[Q4_GROUP], 0, -least);
    }
    float toCode = Q4_LARGEST / (most - least);
    Group best = new Group(codes(in, from, toCode, least), 1 / toCode, -least);
    float bestError = error(in, from, weights, best);
    for (int step = 0; step <= Q4_STEPS; step++) {
      least = -best.minimum();
      toCode = (-1f + 0.1f * step + Q4_LARGEST) / (most - least);
      int[] codes = codes(in, from, toCode, least);
      Group refitted = refitted(in, from, weights, codes, sumW, sumX);
      if (refitted != null && error(in, from, weights, refitted) < bestError) {
        bestError = error(in, from, weights, refitted);
        best = refitted;
      }
    }
    return best;
  }

  private static int[] codes(float[] in, int from, float toCode, float least) {
    int[] codes = new int[Q4_GROUP];
    for (int i = 0; i < Q4_GROUP; i++) {
      codes[i] = limited(toCode * (in[from + i] - least), 0, Q4_LARGEST);
    }
    return codes;
  }

  /** Scale and minimum, from 0 up, with which these codes err least; null if any would do. */
  private static Group refitted(
      float[] in, int from, float[] weights, int[] codes, float sumW, float sumX) {
    float sumL = 0;
    float sumL2 = 0;
    float sumXl = 0;
    for (int i = 0; i < Q4_GROUP; i++) {
      sumL += weights[i] * codes[i];
      sumL2 += weights[i] * codes[i] * codes[i];
      sumXl += weights[i] * codes[i] * in[from + i];
    }
    float determinant = sumW * sumL2 - sumL * sumL;
    if (!(determinant > 0)) {
      return null;
    }
    float scale = (sumW * sumXl - sumX * sumL) / determinant;
    float least = (sumL2 * sumX - sumL * sumXl) / determinant;
    return least > 0 ? new Group(codes, sumXl / sumL2, 0) : new Group(codes, scale, -least);
  }

  private static float error(float[] in, int from, float[] weights, Group group) {
    float error = 0;
    for (int i = 0; i < Q4_GROUP; i++) {
      float off = group.scale() * group.codes()[i] - group.minimum() - in[from + i];
      error += weights[i] * (off * off);
    }
    return error;
  }

  /** Encodes 256 numbers as a block of {@link BlockFormat#Q6_K}. */
  static void encodeQ6(float[] in, int from, byte[] out, int at) {
    Arrays.fill(out, at, at + BlockFormat.Q6_K.bytes, (byte) 0);
    Group[] groups = new Group[Q6_GROUPS];
    float extreme = 0;
    for (int i = 0; i < Q6_GROUPS; i++) {
      groups[i] = groupOfQ6(in, from + i * Q6_GROUP);
      extreme = Math.abs(groups[i].scale()) > Math.abs(extreme) ? groups[i].scale() : extreme;
    }
    if (Math.abs(extreme) < NOTHING) {
      return;
    }
    float toScale = -128 / extreme;
    short scaleOfScales = floatToHalf(1 / toScale);
    BlockFormat.putInt16(scaleOfScales, out, at + 208);
    for (int i = 0; i < Q6_GROUPS; i++) {
      out[at + 192 + i] = (byte) limited(toScale * groups[i].scale(), -128, 127);
    }
    for (int i = 0; i < BlockFormat.Q6_K.elements; i++) {
      float d = halfToFloat(scaleOfScales) * out[at + 192 + i / Q6_GROUP];
      int code =
          d == 0
              ? groups[i / Q6_GROUP].codes()[i % Q6_GROUP]
              : limited(in[from + i] / d, -Q6_HALF, Q6_HALF - 1);
      int stored = code + Q6_HALF;
      out[at + i / 128 * 64 + i % 64] |= (byte) ((stored & 15) << (i % 128 / 64 * 4));
      out[at + 128 + i / 128 * 32 + i % 32] |= (byte) ((stored >> 4) << (i % 128 / 32 * 2));
    }
  }

  /** Large numbers count more, by their squares. */
  private static Group groupOfQ6(float[] in, int from) {
    float extreme = 0;
    for (int i = 0; i < Q6_GROUP; i++) {
      extreme = Math.abs(in[from + i]) > Math.abs(extreme) ? in[from + i] : extreme;
    }
    if (Math.abs(extreme) < NOTHING) {
      int[] lowest = new int[Q6_GROUP];
      Arrays.fill(lowest, -Q6_HALF);
      return new Group(lowest, 0, 0);
    }
    Group best = null;
    float bestGain = 0;
    for (int candidate = 0; candidate <= 2 * Q6_STEPS; candidate++) {
      // 0 first, then -9 to 9 without 0
      int step = candidate == 0 ? 0 : candidate - Q6_STEPS - (candidate <= Q6_STEPS ? 1 : 0);
      float toCode = -(Q6_HALF + 0.1f * step) / extreme;
      int[] codes = new int[Q6_GROUP];
      float sumXl = 0;
      float sumL2 = 0;
      for (int i = 0; i < Q6_GROUP; i++) {
        float x = in[from + i];
        codes[i] = limited(toCode * x, -Q6_HALF, Q6_HALF - 1);
        sumXl += x * x * x * codes[i];
        sumL2 += x * x * codes[i] * codes[i];
      }
      if (best == null || (sumL2 > 0 && sumXl * sumXl > bestGain * sumL2)) {
        float scale = sumL2 == 0 ? 0 : sumXl / sumL2;
        best = new Group(codes, scale, 0);
        bestGain = scale * sumXl;
      }
    }
    return best;
  }

  /** The nearest whole number, of two the even one. */
  private static int limited(float value, int least, int most) {
    return Math.max(least, Math.min(most, (int) Math.rint(value)));
  }
}
