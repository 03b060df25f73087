package org.tokentune.quantization;

import static org.tokentune.quantization.HalfPrecision.bfloatToFloat;
import static org.tokentune.quantization.HalfPrecision.floatToBfloat;
import static org.tokentune.quantization.HalfPrecision.floatToHalf;
import static org.tokentune.quantization.HalfPrecision.halfToFloat;

import java.util.Arrays;
import java.util.Optional;

/**
 * GGUF's storage formats: a row is divided into blocks with a fixed number of elements and bytes
 * (source: ggml's {@code ggml-common.h} and {@code dequantize_row_*}). All numbers are
 * little-endian; {@code half} is binary16. In the layouts, "low nibbles, then high" means that the
 * low four bits of n bytes are the first n codes and the high four bits the next n.
 *
 * <p>The K formats have blocks of 256 elements in groups of 16 or 32, whose scales are themselves
 * quantised, relative to a block scale {@code d}.
 */
public enum BlockFormat {
  /** An IEEE 754 binary32. */
  F32(0, 1, 4) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      out[to] = Float.intBitsToFloat(int32(in, at));
    }

    @Override
    public void encode(float[] in, int from, byte[] out, int at) {
      putInt32(Float.floatToRawIntBits(in[from]), out, at);
    }
  },

  /** An IEEE 754 binary16. */
  F16(1, 1, 2) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      out[to] = half(in, at);
    }

    @Override
    public void encode(float[] in, int from, byte[] out, int at) {
      putInt16(floatToHalf(in[from]), out, at);
    }
  },

  /** The upper half of a binary32. */
  BF16(30, 1, 2) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      out[to] = bfloatToFloat(int16(in, at));
    }

    @Override
    public void encode(float[] in, int from, byte[] out, int at) {
      putInt16(floatToBfloat(in[from]), out, at);
    }
  },

  /** half d; 16 bytes of codes, low nibbles, then high: {@code d (code - 8)}. */
  Q4_0(2, 32, 18) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      float d = half(in, at);
      for (int i = 0; i < 16; i++) {
        int codes = in[at + 2 + i];
        out[to + i] = d * ((codes & 15) - 8);
        out[to + 16 + i] = d * ((codes >> 4 & 15) - 8);
      }
    }
  },

  /** half d, half m; 16 bytes of codes, low nibbles, then high: {@code d code + m}. */
  Q4_1(3, 32, 20) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      float d = half(in, at);
      float m = half(in, at + 2);
      for (int i = 0; i < 16; i++) {
        int codes = in[at + 4 + i];
        out[to + i] = d * (codes & 15) + m;
        out[to + 16 + i] = d * (codes >> 4 & 15) + m;
      }
    }
  },

  /**
   * half d; 32 fifth bits of the codes; 16 bytes of their lower four, low nibbles, then high:
   * {@code d (code - 16)}.
   */
  Q5_0(6, 32, 22) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      float d = half(in, at);
      int fifth = int32(in, at + 2);
      for (int i = 0; i < 16; i++) {
        int codes = in[at + 6 + i];
        out[to + i] = d * ((codes & 15) + 16 * (fifth >> i & 1) - 16);
        out[to + 16 + i] = d * ((codes >> 4 & 15) + 16 * (fifth >> (i + 16) & 1) - 16);
      }
    }

    @Override
    public void encode(float[] in, int from, byte[] out, int at) {
      float extreme = extreme(in, from, elements);
      float d = extreme / -16;
      float inverse = d == 0 ? 0 : 1 / d;
      putInt16(floatToHalf(d), out, at);
      int fifth = 0;
      for (int i = 0; i < 16; i++) {
        int low = Math.min(31, (int) (in[from + i] * inverse + 16.5f));
        int high = Math.min(31, (int) (in[from + 16 + i] * inverse + 16.5f));
        out[at + 6 + i] = (byte) ((low & 15) | ((high & 15) << 4));
        fifth |= ((low >> 4) << i) | ((high >> 4) << (i + 16));
      }
      putInt32(fifth, out, at + 2);
    }
  },

  /**
   * half d, half m; 32 fifth bits of the codes; 16 bytes of their lower four, low nibbles, then
   * high: {@code d code + m}.
   */
  Q5_1(7, 32, 24) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      float d = half(in, at);
      float m = half(in, at + 2);
      int fifth = int32(in, at + 4);
      for (int i = 0; i < 16; i++) {
        int codes = in[at + 8 + i];
        out[to + i] = d * ((codes & 15) + 16 * (fifth >> i & 1)) + m;
        out[to + 16 + i] = d * ((codes >> 4 & 15) + 16 * (fifth >> (i + 16) & 1)) + m;
      }
    }
  },

  /** half d; 32 signed bytes: {@code d code}. */
  Q8_0(8, 32, 34) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      float d = half(in, at);
      for (int i = 0; i < 32; i++) {
        out[to + i] = d * in[at + 2 + i];
      }
    }

    @Override
    public void encode(float[] in, int from, byte[] out, int at) {
      float d = Math.abs(extreme(in, from, elements)) / 127;
      float inverse = d == 0 ? 0 : 1 / d;
      putInt16(floatToHalf(d), out, at);
      for (int i = 0; i < 32; i++) {
        float code = in[from + i] * inverse;
        out[at + 2 + i] = (byte) Math.copySign((int) (Math.abs(code) + 0.5f), code);
      }
    }
  },

  /**
   * 16 bytes, one per group of 16 elements: scale in the low nibble, minimum in the high; 64 bytes
   * of codes of 2 bits; half d, half dmin: {@code d scale code - dmin minimum}. Each half of the
   * block has 32 bytes of codes: the lowest two bits are the first 32 elements, and so on.
   */
  Q2_K(10, 256, 84) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      float d = half(in, at + 80);
      float dmin = half(in, at + 82);
      for (int i = 0; i < 256; i++) {
        int group = in[at + i / 16];
        int code = in[at + 16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
        out[to + i] = d * (group & 15) * code - dmin * (group >> 4 & 15);
      }
    }
  },

  /**
   * 32 bytes of third bits (bit n of byte i: element 32 n + i); 64 bytes of the lower two, as in
   * Q2_K; 12 bytes of 16 scales of 6 bits, one per group of 16 elements; half d: {@code d (scale -
   * 32) (code - 4)}. The lower four bits of the scales are in 8 bytes, low nibbles, then high; the
   * upper two in 4 bytes: the lowest two bits are those of the first 4 scales, and so on.
   */
  Q3_K(11, 256, 110) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      float d = half(in, at + 108);
      for (int i = 0; i < 256; i++) {
        int third = in[at + i % 32] >> (i / 32) & 1;
        int lower = in[at + 32 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
        out[to + i] = d * (scaleOfQ3(in, at + 96, i / 16) - 32) * (lower + 4 * third - 4);
      }
    }

    private static int scaleOfQ3(byte[] in, int at, int group) {
      int lower = in[at + group % 8] >> (group / 8 * 4) & 15;
      int upper = in[at + 8 + group % 4] >> (group / 4 * 2) & 3;
      return lower + 16 * upper;
    }
  },

  /**
   * half d, half dmin; 12 bytes of 8 scales and 8 minima of 6 bits, one per group of 32 elements
   * ({@link #scale}, {@link #minimum}); 128 bytes of codes, 32 for two groups, low nibbles, then
   * high: {@code d scale code - dmin minimum}.
   */
  Q4_K(12, 256, 144) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      for (int group = 0; group < 8; group++) {
        float d = half(in, at) * scale(in, at + 4, group);
        float m = half(in, at + 2) * minimum(in, at + 4, group);
        int codes = at + 16 + group / 2 * 32;
        int shift = group % 2 * 4;
        for (int i = 0; i < 32; i++) {
          out[to + group * 32 + i] = d * (in[codes + i] >> shift & 15) - m;
        }
      }
    }

    @Override
    public void encode(float[] in, int from, byte[] out, int at) {
      KQuants.encodeQ4(in, from, out, at);
    }
  },

  /**
   * half d, half dmin; scales and minima as in Q4_K; 32 bytes of fifth bits (bit n of byte i:
   * element 32 n + i); the lower four bits as in Q4_K: {@code d scale code - dmin minimum}.
   */
  Q5_K(13, 256, 176) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      for (int group = 0; group < 8; group++) {
        float d = half(in, at) * scale(in, at + 4, group);
        float m = half(in, at + 2) * minimum(in, at + 4, group);
        int codes = at + 48 + group / 2 * 32;
        int shift = group % 2 * 4;
        for (int i = 0; i < 32; i++) {
          int fifth = in[at + 16 + i] >> group & 1;
          out[to + group * 32 + i] = d * ((in[codes + i] >> shift & 15) + 16 * fifth) - m;
        }
      }
    }
  },

  /**
   * 128 bytes of the lower four bits of the codes (each half of the block has 64, low nibbles, then
   * high); 64 bytes of the upper two, laid out like the codes of Q2_K; 16 signed bytes of scales,
   * one per group of 16 elements; half d: {@code d scale (code - 32)}.
   */
  Q6_K(14, 256, 210) {
    @Override
    public void decode(byte[] in, int at, float[] out, int to) {
      float d = half(in, at + 208);
      for (int i = 0; i < 256; i++) {
        int lower = in[at + i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
        int upper = in[at + 128 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
        out[to + i] = d * in[at + 192 + i / 16] * (lower + 16 * upper - 32);
      }
    }

    @Override
    public void encode(float[] in, int from, byte[] out, int at) {
      KQuants.encodeQ6(in, from, out, at);
    }
  };

  /** ggml's type number. */
  public final int id;

  /** Elements per block; a row's length is a multiple of this. */
  public final int elements;

  /** Bytes per block. */
  public final int bytes;

  BlockFormat(int id, int elements, int bytes) {
    this.id = id;
    this.elements = elements;
    this.bytes = bytes;
  }

  /** Decodes the block at {@code in[at]} into {@code out}, starting at {@code to}. */
  public abstract void decode(byte[] in, int at, float[] out, int to);

  /**
   * Encodes {@link #elements} finite numbers at {@code in[from]} into the block at {@code out[at]},
   * as ggml's {@code quantize_row_*_ref} does; of the formats in 2 to 6 bits, only Q5_0, Q4_K and
   * Q6_K.
   *
   * @throws UnsupportedOperationException for the others
   */
  public void encode(float[] in, int from, byte[] out, int at) {
    throw new UnsupportedOperationException(this + " is only read");
  }

  /** The format with a ggml type number; empty if there is none. */
  public static Optional<BlockFormat> of(int id) {
    return Arrays.stream(values()).filter(format -> format.id == id).findFirst();
  }

  /**
   * Decodes consecutive blocks.
   *
   * @param in blocks, starting at the first byte
   * @param out receives one float per element, starting at the first
   */
  public void decode(byte[] in, float[] out, int blocks) {
    for (int block = 0; block < blocks; block++) {
      decode(in, block * bytes, out, block * elements);
    }
  }

  /** Bytes of a row of this many elements, which must be whole blocks. */
  public long rowBytes(long width) {
    return width / elements * bytes;
  }

  /** The number that is farthest from 0, the first of several. */
  private static float extreme(float[] in, int from, int count) {
    float extreme = 0;
    for (int i = from; i < from + count; i++) {
      if (Math.abs(in[i]) > Math.abs(extreme)) {
        extreme = in[i];
      }
    }
    return extreme;
  }

  /** Scale of a group of Q4_K and Q5_K: 6 bits, split into two pieces for the last four groups. */
  static int scale(byte[] in, int at, int group) {
    return group < 4
        ? in[at + group] & 63
        : (in[at + 4 + group] & 15) + 16 * (in[at + group - 4] >> 6 & 3);
  }

  /** Minimum of a group of Q4_K and Q5_K. */
  static int minimum(byte[] in, int at, int group) {
    return group < 4
        ? in[at + 4 + group] & 63
        : (in[at + 4 + group] >> 4 & 15) + 16 * (in[at + group] >> 6 & 3);
  }

  private static short int16(byte[] in, int at) {
    return (short) ((in[at] & 255) | (in[at + 1] << 8));
  }

  private static int int32(byte[] in, int at) {
    return (int16(in, at) & 0xffff) | (int16(in, at + 2) << 16);
  }

  private static float half(byte[] in, int at) {
    return halfToFloat(int16(in, at));
  }

  static void putInt16(int value, byte[] out, int at) {
    out[at] = (byte) value;
    out[at + 1] = (byte) (value >> 8);
  }

  private static void putInt32(int value, byte[] out, int at) {
    putInt16(value, out, at);
    putInt16(value >> 16, out, at + 2);
  }
}
