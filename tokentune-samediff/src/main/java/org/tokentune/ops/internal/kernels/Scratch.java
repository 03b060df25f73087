package org.tokentune.ops.internal.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Per-thread arrays, reused between kernels. Kernels copy rows into them, because the compiler
 * vectorises loops over Java arrays, but not over off-heap memory.
 */
public final class Scratch {

  private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

  /**
   * What an array is used for. A method must not use a slot while one that it has been called from
   * still uses it.
   */
  public enum Slot {
    /** A part of a row, for methods that copy it themselves. */
    TILE(0),
    /** The same, where two are needed. */
    SECOND_TILE(1),
    /** A term of an activation function's slope, held while the other terms are computed. */
    GATE_SLOPE(2),
    /** Intermediate results of methods that call no other kernel before they are done with them. */
    LEAF_1(3),
    /** The same, where two are needed. */
    LEAF_2(4);

    private final int index;

    Slot(int index) {
      this.index = index;
    }
  }

  private static final int SLOTS = Slot.values().length;

  private final float[][] floats = new float[SLOTS][0];
  private final int[][] ints = new int[SLOTS][0];
  private float[][] rows = new float[8][0];
  private final FloatPointer[] offHeap = new FloatPointer[2];
  private byte[] bytes = new byte[0];
  private ByteBuffer bits = ByteBuffer.allocateDirect(0);

  private Scratch() {}

  public static Scratch get() {
    return OF_THREAD.get();
  }

  /** An array of at least the given length, with arbitrary content. */
  public float[] floats(Slot slot, int length) {
    if (floats[slot.index].length < length) {
      floats[slot.index] = new float[length];
    }
    return floats[slot.index];
  }

  /** An array of at least the given length, with arbitrary content. */
  public int[] ints(Slot slot, int length) {
    if (ints[slot.index].length < length) {
      ints[slot.index] = new int[length];
    }
    return ints[slot.index];
  }

  /** The array of a {@link RowKernel} with this number, with arbitrary content. */
  float[] row(int number, int length) {
    if (rows.length <= number) {
      rows = Arrays.copyOf(rows, 2 * number);
    }
    if (rows[number] == null || rows[number].length < length) {
      rows[number] = new float[length];
    }
    return rows[number];
  }

  /**
   * Memory outside the heap for {@link Blas}, with arbitrary content. JavaCPP does not count it:
   * what a thread has once is not what a step allocates.
   *
   * @param number 0 or 1
   */
  FloatPointer offHeap(int number, int length) {
    if (offHeap[number] == null || offHeap[number].capacity() < length) {
      ByteBuffer memory = ByteBuffer.allocateDirect(length * Float.BYTES);
      // The pointer keeps the buffer alive.
      offHeap[number] = new FloatPointer(memory.order(ByteOrder.nativeOrder()).asFloatBuffer());
    }
    return offHeap[number];
  }

  public byte[] bytes(int length) {
    if (bytes.length < length) {
      bytes = new byte[length];
    }
    return bytes;
  }

  /**
   * Converts floats to their bits as integers. Both directions copy, which is faster than
   * converting in a loop.
   */
  public void toBits(float[] from, int[] to, int length) {
    floatView(length).put(0, from, 0, length);
    intView(length).get(0, to, 0, length);
  }

  public void fromBits(int[] from, float[] to, int length) {
    intView(length).put(0, from, 0, length);
    floatView(length).get(0, to, 0, length);
  }

  private FloatBuffer floatView(int length) {
    return grown(length).asFloatBuffer();
  }

  private IntBuffer intView(int length) {
    return grown(length).asIntBuffer();
  }

  private ByteBuffer grown(int length) {
    if (bits.capacity() < length * Float.BYTES) {
      bits = ByteBuffer.allocateDirect(length * Float.BYTES).order(ByteOrder.nativeOrder());
    }
    return bits;
  }
}
