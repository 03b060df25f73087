package org.tokentune.ops.internal.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Per-thread arrays, reused between kernels. Kernels copy rows into them, because the compiler
 * vectorises loops over Java arrays, but not over off-heap memory.
 */
public final class Scratch {

  private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

  private final float[][] floats = new float[8][0];
  private int[] ints = new int[0];
  private byte[] bytes = new byte[0];
  private ByteBuffer bits = ByteBuffer.allocateDirect(0);

  private Scratch() {}

  public static Scratch get() {
    return OF_THREAD.get();
  }

  /** Array number {@code slot}, 0 to 7, of at least the given length, with arbitrary content. */
  public float[] floats(int slot, int length) {
    if (floats[slot].length < length) {
      floats[slot] = new float[length];
    }
    return floats[slot];
  }

  public int[] ints(int length) {
    if (ints.length < length) {
      ints = new int[length];
    }
    return ints;
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
