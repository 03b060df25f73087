package org.tokentune.datasets;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tokentune.objectives.EmbeddingLabel;

/**
 * The texts of a row that belong together as one row, as streams have them: their tokens one after
 * the other, and as labels for each text its number of tokens, that before it was cut, and its
 * {@link EmbeddingLabel}.
 */
final class JoinedTexts {

  private static final int TOKENS = 0;
  private static final int WHOLE = 1;
  private static final int HEADER = 2;
  private static final int SIZE = HEADER + EmbeddingLabel.SIZE;

  private JoinedTexts() {}

  /**
   * Joins texts.
   *
   * @param whole the number of tokens of each before it was cut
   */
  static TokenBatches.Row join(List<TokenBatches.Row> texts, List<Integer> whole) {
    int tokens = texts.stream().mapToInt(text -> text.ids().length).sum();
    int[] ids = new int[tokens];
    int[] types = new int[tokens];
    float[] labels = new float[texts.size() * SIZE];
    int at = 0;
    for (int i = 0; i < texts.size(); i++) {
      TokenBatches.Row text = texts.get(i);
      int length = text.ids().length;
      System.arraycopy(text.ids(), 0, ids, at, length);
      System.arraycopy(text.typeIds(), 0, types, at, length);
      labels[i * SIZE + TOKENS] = length;
      labels[i * SIZE + WHOLE] = whole.get(i);
      System.arraycopy(text.labels(), 0, labels, i * SIZE + HEADER, EmbeddingLabel.SIZE);
      at += length;
    }
    return new TokenBatches.Row(ids, types, labels);
  }

  /** The texts of a joined row. */
  static List<TokenBatches.Row> split(TokenBatches.Row joined) {
    List<TokenBatches.Row> texts = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < joined.labels().length; i += SIZE) {
      int to = from + (int) joined.labels()[i + TOKENS];
      texts.add(
          new TokenBatches.Row(
              Arrays.copyOfRange(joined.ids(), from, to),
              Arrays.copyOfRange(joined.typeIds(), from, to),
              Arrays.copyOfRange(joined.labels(), i + HEADER, i + SIZE)));
      from = to;
    }
    return texts;
  }

  /** Counts the texts of a joined row. */
  static void count(TokenBatches.Row joined, LongCount counted) {
    for (int i = 0; i < joined.labels().length; i += SIZE) {
      counted.add((int) joined.labels()[i + WHOLE], 1);
    }
  }

  /** The score of a joined row. */
  static float score(TokenBatches.Row joined) {
    return joined.labels()[SIZE - 1];
  }
}
