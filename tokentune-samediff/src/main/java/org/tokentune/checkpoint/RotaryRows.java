package org.tokentune.checkpoint;

import org.tokentune.BadInputException;

/**
 * Rows of a query's or key's projection. Meta's files, and llama.cpp's and llama2.c's, turn
 * neighbouring elements of a head (2 i and 2 i + 1) as a pair, Hugging Face's elements i and i +
 * headSize / 2, and has its rows in another order for it.
 *
 * @param headSize rows of a head
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

  /** Where in Hugging Face's order each of so many rows stands. */
  int[] places(int rows, String tensor) {
    if (headSize < 2 || headSize % 2 != 0 || rows % headSize != 0) {
      throw new BadInputException(
          "Tensor %s of %d rows has no whole heads of %d rows; get the file again.",
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
