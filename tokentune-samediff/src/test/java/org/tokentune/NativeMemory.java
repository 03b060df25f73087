package org.tokentune;

import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.factory.Nd4j;

/** What the allocators say that they have given out. */
public final class NativeMemory {

  private NativeMemory() {}

  /** Bytes of all arrays: ND4J's own count, to the byte. */
  public static long arrays() {
    return Nd4j.getEnvironment().getDeviceCouner(0);
  }

  /** Bytes of JavaCPP's pointers: arguments on their way into ops, and the like. */
  public static long pointers() {
    return Pointer.totalBytes();
  }

  /** Frees what nothing refers to any more, as far as it hangs on Java objects. */
  public static void settle() {
    long before = -1;
    for (int i = 0; i < 20 && (i < 3 || before != arrays() + pointers()); i++) {
      before = arrays() + pointers();
      System.gc();
      try {
        Thread.sleep(50); // other threads do the freeing
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Runs with an allocator that refuses to give out a single byte for an array. */
  public static void withoutArrays(Runnable body) {
    Nd4j.getEnvironment().setDeviceLimit(0, Math.max(1, arrays()));
    try {
      body.run();
    } finally {
      Nd4j.getEnvironment().setDeviceLimit(0, 0);
    }
  }
}
