package org.tokentune.formats;

/** How a safetensors file stores floats; 16-bit types are rounded to nearest, ties to even. */
public enum FloatType {
  F32(4, "float32"),
  F16(2, "float16"),
  BF16(2, "bfloat16");

  /** Bytes per element. */
  public final int width;

  /** Its name in a {@code config.json}. */
  public final String torchName;

  FloatType(int width, String torchName) {
    this.width = width;
    this.torchName = torchName;
  }
}
