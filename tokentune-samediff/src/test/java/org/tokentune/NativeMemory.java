package org.tokentune;

import java.util.concurrent.locks.LockSupport;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.factory.Nd4j;

/** Memory in use according to the native allocators. */
public final class NativeMemory {

  private NativeMemory() {}

  /** Bytes of all arrays: ND4J's own count, to the byte. */
  public static long arrays() {
    return Nd4j.getEnvironment().getDeviceCouner(0);
  }

  /** Bytes of JavaCPP's pointers, such as op arguments. */
  public static long pointers() {
    return Pointer.totalBytes();
  }

  /** Frees native memory owned by unreachable Java objects. */
  public static void settle() {
    int same = 0;
    for (long before = -1; same < 4; ) {
      long now = arrays() + pointers();
      same = now == before ? same + 1 : 0;
      before = now;
      System.gc();
      LockSupport.parkNanos(30_000_000); // other threads free the memory
    }
  }

  /** Runs with an allocator that limits arrays to this many bytes in total. */
  public static void within(long bytes, Runnable body) {
    Nd4j.getEnvironment().setDeviceLimit(0, arrays() + bytes);
    try {
      body.run();
    } finally {
      Nd4j.getEnvironment().setDeviceLimit(0, 0);
    }
  }
}
