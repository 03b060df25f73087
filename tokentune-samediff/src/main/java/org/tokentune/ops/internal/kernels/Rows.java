package org.tokentune.ops.internal.kernels;

/**
 * Rows of equal width, divided into chunks for {@link Workers}. The division depends only on the
 * shape, so that sums per chunk do not depend on the number of threads.
 */
public record Rows(int count, int width) {

  /** About 10 microseconds of work: a second thread does not pay off for less. */
  private static final int CHUNK_FLOATS = 8192;

  /** Bounds the memory for sums per chunk. */
  private static final int MAX_CHUNKS = 64;

  /** The work of a chunk: rows {@code from} to below {@code to}. */
  public interface Body {
    void run(int chunk, int from, int to);
  }

  /** The rows of a shape, along its last dimension. */
  public static Rows of(long... shape) {
    long count = 1;
    for (int d = 0; d < shape.length - 1; d++) {
      count *= shape[d];
    }
    return new Rows(Math.toIntExact(count), Math.toIntExact(shape[shape.length - 1]));
  }

  private int chunkRows() {
    int enough = Math.max(1, CHUNK_FLOATS / Math.max(1, width));
    return Math.max(enough, (count + MAX_CHUNKS - 1) / MAX_CHUNKS);
  }

  public int chunks() {
    return (count + chunkRows() - 1) / chunkRows();
  }

  public void forEachChunk(Body body) {
    int rows = chunkRows();
    Workers.run(
        chunks(), chunk -> body.run(chunk, chunk * rows, Math.min(count, chunk * rows + rows)));
  }
}
