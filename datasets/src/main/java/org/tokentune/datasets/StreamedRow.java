package org.tokentune.datasets;

/** A tokenised row in a compact form, of which a window of a stream holds many. */
interface StreamedRow {

  /** Vocabulary numbers; none if the row is left out. */
  int[] ids();

  /** The row as batches take it. */
  TokenBatches.Row row();
}
