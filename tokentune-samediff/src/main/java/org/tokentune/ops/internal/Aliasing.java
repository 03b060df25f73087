package org.tokentune.ops.internal;

/** How an op's results may share memory with its inputs, so that nothing needs to be copied. */
public enum Aliasing {
  /** Results have their own memory. */
  NONE,
  /** The first input's elements in the same order, in another shape or as another type. */
  RESHAPE,
  /** The first input with its axes in another order. */
  PERMUTE,
  /** Consecutive rows of the first input, one slice for each output. */
  ROW_SLICES,
  /** A part of the first input that begins at the second input. */
  SLICE,
  /** All inputs, one after the other along the first axis. */
  CONCATENATE_ROWS,
  /** The first input, which the op changes in place. */
  FIRST_INPUT;

  /** Whether the op computes nothing and its results are views of its first input. */
  public boolean isView() {
    return this == RESHAPE || this == PERMUTE || this == ROW_SLICES;
  }
}
