package org.tokentune.ops.internal.kernels;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The frame of a kernel over rows: copies a row of every input into an array, lets the kernel's
 * body compute, and copies the results back, in chunks that run in parallel.
 *
 * <p>{@link #read}, {@link #write}, {@link #update}, {@link #temporary} and {@link #sum} add an
 * array each; the body gets them in this order. They may be longer than a row. An output may be the
 * same memory as an input if the body reads nothing else of it than its own row.
 *
 * <p>Bodies should leave all work on elements to static methods with a short loop: these are what
 * the compiler vectorises.
 */
public final class RowKernel {

  /** Computes one row of the output from the same row of the inputs. */
  public interface Body {
    /**
     * @param arrays in the order in which they were added
     * @param row number of the row
     * @param length number of its elements: the width, except in the last of several tiles
     */
    void run(float[][] arrays, int row, int length);
  }

  /** An array of the body, and the memory that it is copied from or to. */
  private record Copy(int array, FloatBuffer memory) {}

  /** An array of the body that holds a chunk's column sums, and the memory of the total. */
  private record Sum(int array, ColumnSums chunks, FloatBuffer total) {}

  private final Rows rows;
  private final int elements;
  private final List<Integer> lengths = new ArrayList<>(); // of the arrays
  private final List<Copy> inputs = new ArrayList<>();
  private final List<Copy> outputs = new ArrayList<>();
  private final List<Sum> sums = new ArrayList<>();
  private final List<INDArray> held = new ArrayList<>();

  private RowKernel(Rows rows, int elements) {
    this.rows = rows;
    this.elements = elements;
  }

  /** A kernel over rows of equal width. */
  public static RowKernel of(Rows rows) {
    return new RowKernel(rows, rows.count() * rows.width());
  }

  /** A kernel over the rows of an array, along its last dimension. */
  public static RowKernel over(INDArray array) {
    return of(Rows.of(array.shape()));
  }

  /**
   * A kernel over tiles of arrays of equal length, whatever their shapes are.
   *
   * @param width elements of a tile; the last may have fewer
   * @param elements elements of an array
   */
  public static RowKernel tiles(int width, long elements) {
    int total = Math.toIntExact(elements);
    return new RowKernel(new Rows((total + width - 1) / width, width), total);
  }

  public Rows rows() {
    return rows;
  }

  /** Adds an array with the input's row. */
  public RowKernel read(INDArray input) {
    inputs.add(new Copy(lengths.size(), floats(input)));
    return temporary(rows.width());
  }

  /** Adds an array that becomes the output's row. */
  public RowKernel write(INDArray output) {
    outputs.add(new Copy(lengths.size(), floats(output)));
    return temporary(rows.width());
  }

  /** Adds an array with the input's row, which the body changes into the output's. */
  public RowKernel update(INDArray input, INDArray output) {
    outputs.add(new Copy(lengths.size(), floats(output)));
    return read(input);
  }

  /** Adds an array to which the body adds rows; their sum over all rows becomes the output. */
  public RowKernel sum(INDArray output) {
    sums.add(new Sum(lengths.size(), new ColumnSums(rows), floats(output)));
    return temporary(rows.width());
  }

  /** Adds an array for the body's own use, with arbitrary content. */
  public RowKernel temporary(int length) {
    lengths.add(length);
    return this;
  }

  /** The memory of a FLOAT array, for bodies that access it on their own; valid during the run. */
  public FloatBuffer floats(INDArray array) {
    held.add(array);
    return Memory.floats(array);
  }

  /** The memory of an array of any type, as bytes; valid during the run. */
  public ByteBuffer bytes(INDArray array) {
    held.add(array);
    return Memory.raw(array);
  }

  /** Runs the body for every row. */
  public void run(Body body) {
    Copy[] in = inputs.toArray(Copy[]::new);
    Copy[] out = outputs.toArray(Copy[]::new);
    forEachChunk((chunk, from, to) -> run(body, arrays(chunk), in, out, from, to));
  }

  private float[][] arrays(int chunk) {
    float[][] arrays = new float[lengths.size()][];
    Arrays.setAll(arrays, i -> Scratch.get().row(i, lengths.get(i)));
    for (Sum sum : sums) {
      arrays[sum.array] = sum.chunks.ofChunk(chunk);
    }
    return arrays;
  }

  private void run(Body body, float[][] arrays, Copy[] in, Copy[] out, int from, int to) {
    int width = rows.width();
    for (int row = from; row < to; row++) {
      int start = row * width;
      int length = Math.min(width, elements - start);
      for (Copy copy : in) {
        copy.memory.get(start, arrays[copy.array], 0, length);
      }
      body.run(arrays, row, length);
      for (Copy copy : out) {
        copy.memory.put(start, arrays[copy.array], 0, length);
      }
    }
  }

  /** Runs a body that does its own copying, for every chunk of rows. */
  public void forEachChunk(Rows.Body body) {
    try {
      rows.forEachChunk(body);
      sums.forEach(sum -> sum.chunks.total(sum.total));
    } finally {
      Reference.reachabilityFence(held);
    }
  }
}
