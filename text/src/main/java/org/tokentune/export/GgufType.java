package org.tokentune.export;

import java.util.Locale;
import org.tokentune.quantization.BlockFormat;

/** How the matrices in a GGUF file are stored; vectors are always 32-bit floats. */
public enum GgufType {
  F32(0),
  F16(1),
  BF16(32),
  Q8_0(7),
  /**
   * 4 bits, and 6 for the matrix that computes logits. Rows that are no multiple of 256 are stored
   * in 5 and 8 bits, as llama.cpp does.
   */
  Q4_K(14);

  /** llama.cpp's number of it. */
  final int id;

  GgufType(int id) {
    this.id = id;
  }

  /**
   * The format of a tensor.
   *
   * @param logits whether it computes logits
   */
  BlockFormat format(long[] shape, boolean logits) {
    if (shape.length < 2) {
      return BlockFormat.F32;
    }
    BlockFormat format =
        switch (this) {
          case F32 -> BlockFormat.F32;
          case F16 -> BlockFormat.F16;
          case BF16 -> BlockFormat.BF16;
          case Q8_0 -> BlockFormat.Q8_0;
          case Q4_K -> logits ? BlockFormat.Q6_K : BlockFormat.Q4_K;
        };
    long width = shape[shape.length - 1];
    if (width % format.elements != 0 && this == Q4_K) {
      format = logits ? BlockFormat.Q8_0 : BlockFormat.Q5_0;
    }
    return width % format.elements == 0 ? format : BlockFormat.F16;
  }

  /** Whether tensors are in a format only because the type's own has no room for their rows. */
  boolean isReplacement(BlockFormat format) {
    return switch (this) {
      case F32, F16, BF16 -> false;
      case Q8_0 -> format == BlockFormat.F16;
      case Q4_K ->
          format == BlockFormat.F16 || format == BlockFormat.Q5_0 || format == BlockFormat.Q8_0;
    };
  }

  /** The name in lower case, as on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
