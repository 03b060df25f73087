package org.tokentune.ops;

import org.nd4j.linalg.factory.Nd4j;

/** The ops a graph is built of; what it computes is the same. */
public enum KernelMode {
  /** ND4J's own native ops: runs on every backend, under stock SameDiff too, and can be saved. */
  NATIVE,
  /** {@link FusedOp}s: runs on the CPU, in an execution plan only. */
  FUSED;

  /** {@link #FUSED} on a CPU backend, unless {@code -Dorg.tokentune.kernels=native}. */
  public static KernelMode preferred() {
    boolean nativeWanted = "native".equals(System.getProperty("org.tokentune.kernels"));
    return !nativeWanted && Nd4j.getEnvironment().isCPU() ? FUSED : NATIVE;
  }
}
