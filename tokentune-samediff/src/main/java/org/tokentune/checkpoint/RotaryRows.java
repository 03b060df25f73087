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
    long size = (long) headSize * width;
    if (headSize < 2 || headSize % 2 != 0 || values.length % size != 0) {
      throw new BadInputException(
          "Tensor %s of %d values has no whole heads of %d rows of %d; get the file again.",
          tensor, values.length, headSize, width);
    }
    int head = (int) size;
    float[] ordered = new float[values.length];
    int half = headSize / 2;
    for (int first = 0; first < values.length; first += head) {
      for (int i = 0; i < headSize; i++) {
        int from = first + (i % half * 2 + i / half) * width;
        System.arraycopy(values, from, ordered, first + i * width, width);
      }
    }
    return ordered;
  }
}
