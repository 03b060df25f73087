package org.tokentune.datasets;

/**
 * A labelled row of a stream.
 *
 * @param labels as {@link Labels#encode} returns them
 */
record LabelledTokens(int[] ids, int[] typeIds, float[] labels) implements StreamedRow {

  @Override
  public TokenBatches.Row row() {
    return new TokenBatches.Row(ids, typeIds, labels);
  }
}
