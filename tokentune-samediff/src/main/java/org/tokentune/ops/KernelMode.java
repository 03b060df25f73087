package org.tokentune.ops;

import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.FusedOp;

/** The kind of ops a graph is built from; the results are the same. */
public enum KernelMode {
  /** ND4J's own native ops: run on every backend, also under stock SameDiff, and can be saved. */
  NATIVE,
  /** {@link FusedOp}s: run on the CPU, only in an execution plan. */
  FUSED;

  /** {@link #FUSED} on a CPU backend, unless {@code -Dorg.tokentune.kernels=native}. */
  public static KernelMode preferred() {
    boolean nativeWanted = "native".equals(System.getProperty("org.tokentune.kernels"));
    return !nativeWanted && Nd4j.getEnvironment().isCPU() ? FUSED : NATIVE;
  }
}
