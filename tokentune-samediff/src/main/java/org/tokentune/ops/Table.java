package org.tokentune.ops;

import org.nd4j.autodiff.samediff.SDVariable;

/**
 * A table [count, width] of which a graph takes rows: of floats, or of blocks that become floats
 * after they were taken.
 *
 * @param stored FLOAT [count, width], or UINT8 [count, bytes of a row]
 * @param weight what the bytes are; null for floats
 */
public record Table(SDVariable stored, BlockWeight weight) {

  /** Of floats. */
  public static Table of(SDVariable floats) {
    return new Table(floats, null);
  }

  /** Of blocks. */
  public static Table of(BlockWeight weight, SDVariable stored) {
    return new Table(stored, weight);
  }

  /** Floats of rows that were taken out of it: [n, width]. */
  public SDVariable floats(SDVariable rows, KernelMode kernelMode) {
    return weight == null ? rows : weight.floats(rows, kernelMode);
  }
}
