package org.tokentune.ops.internal.kernels;

import java.nio.FloatBuffer;

/**
 * Column sums over rows, accumulated per chunk and added in chunk order, regardless of which thread
 * ran a chunk.
 */
public final class ColumnSums {

  private final float[][] chunks;
  private final int width;

  ColumnSums(Rows rows) {
    chunks = new float[rows.chunks()][];
    width = rows.width();
  }

  /** A chunk's sums, initially zero, for the chunk's thread to add to. */
  float[] ofChunk(int chunk) {
    chunks[chunk] = new float[width];
    return chunks[chunk];
  }

  /** Writes the sum over all chunks to {@code out}. */
  void total(FloatBuffer out) {
    float[] sum = new float[width];
    for (float[] chunk : chunks) {
      add(chunk, sum, width);
    }
    out.put(0, sum, 0, width);
  }

  /** {@code sum += row}. */
  public static void add(float[] row, float[] sum, int width) {
    for (int i = 0; i < width; i++) {
      sum[i] += row[i];
    }
  }

  /** {@code sum += a * b}. */
  public static void addProducts(float[] a, float[] b, float[] sum, int width) {
    for (int i = 0; i < width; i++) {
      sum[i] += a[i] * b[i];
    }
  }
}
