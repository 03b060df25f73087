package org.tokentune.ops.internal.kernels;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.ArrayList;
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
  public static void run(List<INDArray> inputs, List<INDArray> outputs, Kernel kernel) {
    List<INDArray> all = new ArrayList<>(inputs);
    all.addAll(outputs);
    FloatBuffer[] memory = Memory.floats(all);
    int total = memory[0].capacity();
    int tiles = (total + LENGTH - 1) / LENGTH;
    try {
      new Rows(tiles, LENGTH)
          .forEachChunk(
              (chunk, from, to) -> {
                float[][] tile = new float[memory.length][];
                for (int i = 0; i < tile.length; i++) {
                  tile[i] = Scratch.get().floats(i, LENGTH);
                }
                for (int t = from; t < to; t++) {
                  int start = t * LENGTH;
                  int length = Math.min(LENGTH, total - start);
                  for (int i = 0; i < inputs.size(); i++) {
                    memory[i].get(start, tile[i], 0, length);
                  }
                  kernel.run(tile, length);
                  for (int i = inputs.size(); i < tile.length; i++) {
                    memory[i].put(start, tile[i], 0, length);
                  }
                }
              });
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
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

  /** {@code a += value}. */
  public static void add(float[] a, float value, int length) {
    for (int i = 0; i < length; i++) {
      a[i] += value;
    }
  }
}
