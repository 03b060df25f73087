package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;

/**
 * A table [count, width] from which a graph gathers rows: floats, or blocks that are dequantised
 * after gathering.
 *
 * @param stored FLOAT [count, width], or UINT8 [count, bytes per row]
 * @param weight describes the bytes; null for floats
 */
public record Table(SDVariable stored, BlockWeight weight) {

  public Table {
    required(stored, "stored");
  }

  /** A table of floats. */
  public static Table of(SDVariable floats) {
    return new Table(floats, null);
  }

  /** A table of blocks. */
  public static Table of(BlockWeight weight, SDVariable stored) {
    return new Table(stored, weight);
  }

  /** Gathered rows as floats: [n, width]. */
  public SDVariable floats(SDVariable rows, KernelMode kernelMode) {
    required(rows, "rows");
    required(kernelMode, "kernelMode");

    return weight == null ? rows : weight.floats(rows, kernelMode);
  }
}
