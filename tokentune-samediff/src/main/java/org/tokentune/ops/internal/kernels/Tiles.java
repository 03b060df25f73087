package org.tokentune.ops.internal.kernels;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs elementwise kernels: tiles of all arrays are copied in, computed and copied out. */
public final class Tiles {

  /** A few tiles of this length fit into a core's first-level cache. */
  public static final int LENGTH = 1024;

  /** Computes elements 0 to length - 1 of the output tiles, which follow the input tiles. */
  public interface Kernel {
    void run(float[][] tiles, int length);
  }

  private Tiles() {}

  /** Runs a kernel over arrays of equal length; outputs may be inputs. */
  public static void run(List<INDArray> inputs, List<INDArray> outputs, Kernel body) {
    RowKernel kernel = RowKernel.tiles(LENGTH, inputs.get(0).length());
    inputs.forEach(kernel::read);
    outputs.forEach(kernel::write);
    kernel.run((arrays, tile, length) -> body.run(arrays, length));
  }

  /** {@code a *= b}. */
  public static void multiply(float[] a, float[] b, int length) {
    for (int i = 0; i < length; i++) {
      a[i] *= b[i];
    }
  }

  /** {@code a *= factor}. */
  public static void multiply(float[] a, float factor, int length) {
    for (int i = 0; i < length; i++) {
      a[i] *= factor;
    }
  }

  /** The same for elements {@code from} to below {@code to}. */
  public static void multiply(float[] a, float factor, int from, int to) {
    for (int i = from; i < to; i++) {
      a[i] *= factor;
    }
  }

  /** {@code a += value}. */
  public static void add(float[] a, float value, int length) {
    for (int i = 0; i < length; i++) {
      a[i] += value;
    }
  }

  /** The same for elements {@code from} to below {@code to}. */
  static void add(float[] a, float value, int from, int to) {
    for (int i = from; i < to; i++) {
      a[i] += value;
    }
  }
}
