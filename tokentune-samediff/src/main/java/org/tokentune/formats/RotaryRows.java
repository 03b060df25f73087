package org.tokentune.formats;

import org.tokentune.BadFileException;

/**
 * Row order of query and key projections. Meta, llama.cpp and llama2.c rotate neighbouring elements
 * of a head (2 i and 2 i + 1) as a pair; Hugging Face rotates elements i and i + headSize / 2 and
 * permutes the rows accordingly.
 *
 * @param headSize rows per head
 */
record RotaryRows(int headSize) {

  /**
   * The rows in Hugging Face's order.
   *
   * @param values [rows, width]
   */
  float[] unpermuted(float[] values, int width, String tensor) {
    int[] places = places(values.length / width, tensor);
    float[] ordered = new float[values.length];
    for (int row = 0; row < places.length; row++) {
      System.arraycopy(values, row * width, ordered, places[row] * width, width);
    }
    return ordered;
  }

  /**
   * The rows in the other order, for a file.
   *
   * @param values [rows, width] in Hugging Face's order
   */
  float[] permuted(float[] values, int width, String tensor) {
    int[] places = places(values.length / width, tensor);
    float[] ordered = new float[values.length];
    for (int row = 0; row < places.length; row++) {
      System.arraycopy(values, places[row] * width, ordered, row * width, width);
    }
    return ordered;
  }

  /** The position of each row in Hugging Face's order. */
  int[] places(int rows, String tensor) {
    if (headSize < 2 || headSize % 2 != 0 || rows % headSize != 0) {
      throw new BadFileException(
          "Tensor %s has %d rows, which is not a multiple of the head size %d; download the file"
              + " again.",
          tensor, rows, headSize);
    }
    int[] places = new int[rows];
    int half = headSize / 2;
    for (int row = 0; row < rows; row++) {
      int i = row % headSize;
      places[row] = row - i + i % 2 * half + i / 2;
    }
    return places;
  }
}
