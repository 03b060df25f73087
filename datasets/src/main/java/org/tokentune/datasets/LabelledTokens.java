package org.tokentune.datasets;

import java.nio.IntBuffer;

/**
 * A labelled row of a stream. Packed, it is the numbers of tokens and of labels, the tokens, their
 * types, and the bits of the labels.
 *
 * @param labels as {@link Labels#encode} returns them, or as {@link JoinedTexts} has them
 */
record LabelledTokens(int[] ids, int[] typeIds, float[] labels) implements StreamedRow {

  @Override
  public TokenBatches.Row row() {
    return new TokenBatches.Row(ids, typeIds, labels);
  }

  /** Numbers that it takes when packed. */
  static int packedSize(TokenBatches.Row row) {
    return 2 + 2 * row.ids().length + row.labels().length;
  }

  static void pack(TokenBatches.Row row, IntBuffer packed) {
    packed.put(row.ids().length).put(row.labels().length).put(row.ids()).put(row.typeIds());
    for (float label : row.labels()) {
      packed.put(Float.floatToIntBits(label));
    }
  }

  static LabelledTokens unpack(IntBuffer packed) {
    int[] ids = new int[packed.get()];
    float[] labels = new float[packed.get()];
    int[] types = new int[ids.length];
    packed.get(ids).get(types);
    for (int i = 0; i < labels.length; i++) {
      labels[i] = Float.intBitsToFloat(packed.get());
    }
    return new LabelledTokens(ids, types, labels);
  }
}
