package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.select.TokenSelector;

/**
 * Hides words of texts for a model to find, as BERT's training with whole words does (Devlin et
 * al., 2019): words are drawn until their tokens are the share of a text, words that would exceed
 * it are passed over, and at least one word is hidden. Of the hidden tokens 80% become the mask,
 * 10% another word, and 10% stay. Special tokens are never hidden and never drawn.
 */
public final class WordMasks {

  /** BERT's share of hidden tokens. */
  public static final double USUAL_SHARE = 0.15;

  /** Longer ones are no words: texts without spaces, which tokenizers do not cut. */
  private static final int MOST_OF_WORD = 16;

  private static final double MASKED = 0.8;
  private static final double OTHER = 0.1;

  /** Marks of tokens in {@link TokenBatches.Row#labels}. */
  static final int BEGINS_WORD = 1;

  static final int CONTINUES_WORD = 0;

  private final int mask;
  private final int[] words;
  private final double share;

  /**
   * Hides words in texts of a tokenizer.
   *
   * @param share of the tokens, above 0 and below 1
   * @throws BadInputException if the tokenizer has no mask
   */
  public WordMasks(TextTokenizer tokenizer, double share) {
    required(tokenizer, "tokenizer");

    if (!(share > 0 && share < 1)) {
      throw BadSettingsException.of("share", "must be above 0 and below 1, got %s.", share);
    }
    this.share = share;
    mask =
        tokenizer
            .mask()
            .orElseThrow(
                () ->
                    new BadFileException(
                        "The tokenizer of %s has no mask token, such as [MASK]; name a model that was"
                            + " trained with one.",
                        tokenizer.origin()));
    words = tokenizer.ordinary();
  }

  /** The share of the tokens of a text that is hidden. */
  public double share() {
    return share;
  }

  /**
   * Batches with hidden words, which depend only on the seed, the epoch, and the places of batch
   * and row.
   *
   * @param batches whose labels tell which tokens begin a word, as those of {@link MaskableTexts}
   */
  public MultiDataSetIterator hide(MultiDataSetIterator batches, long seed, int epoch) {
    required(batches, "batches");

    return new Batches(batches, seed, epoch);
  }

  private final class Batches extends BatchIterator {

    private final transient MultiDataSetIterator whole;
    private final long seed;
    private final int epoch;
    private int next;

    Batches(MultiDataSetIterator whole, long seed, int epoch) {
      this.whole = whole;
      this.seed = seed;
      this.epoch = epoch;
    }

    @Override
    public boolean hasNext() {
      return whole.hasNext();
    }

    @Override
    MultiDataSet batch() {
      return hide(whole.next(), random(seed, epoch, next++));
    }

    @Override
    public boolean resetSupported() {
      return whole.resetSupported();
    }

    @Override
    public void reset() {
      whole.reset();
      next = 0;
    }
  }

  /** Numbers are chained, as adding them would give different places the same seed. */
  private static SplittableRandom random(long seed, int epoch, int batch) {
    long mixed = new SplittableRandom(seed).nextLong() + epoch;
    return new SplittableRandom(new SplittableRandom(mixed).nextLong() + batch);
  }

  private MultiDataSet hide(MultiDataSet batch, SplittableRandom random) {
    int[][] ids = batch.getFeatures(0).toIntMatrix();
    int[][] labels = batch.getLabels(0).toIntMatrix();
    for (int row = 0; row < ids.length; row++) {
      hide(ids[row], labels[row], random.split());
    }
    INDArray[] features = {Nd4j.createFromArray(ids), batch.getFeatures(1), batch.getFeatures(2)};
    return new org.nd4j.linalg.dataset.MultiDataSet(
        features, new INDArray[] {Nd4j.createFromArray(labels)});
  }

  /**
   * Hides words of a text.
   *
   * @param ids changed to what the model reads
   * @param marks of the tokens; changed to the labels
   */
  void hide(int[] ids, int[] marks, RandomGenerator random) {
    List<int[]> spans = spans(marks);
    int tokens = spans.stream().mapToInt(span -> span[1] - span[0]).sum();
    int left = Math.max(1, (int) Math.round(share * tokens));
    Arrays.fill(marks, TokenSelector.NO_LABEL);
    shuffle(spans, random);
    boolean none = true;
    for (int[] span : spans) {
      int size = span[1] - span[0];
      if (size <= left) {
        hide(ids, marks, span, random);
        left -= size;
        none = false;
      }
    }
    if (none && !spans.isEmpty()) {
      hide(ids, marks, spans.get(0), random); // every word is longer than the share
    }
  }

  private void hide(int[] ids, int[] labels, int[] span, RandomGenerator random) {
    for (int i = span[0]; i < span[1]; i++) {
      labels[i] = ids[i];
      double drawn = random.nextDouble();
      if (drawn < MASKED) {
        ids[i] = mask;
      } else if (drawn < MASKED + OTHER) {
        ids[i] = words[random.nextInt(words.length)];
      }
    }
  }

  /** The first token of each word, and the one after its last; of no word, those of each token. */
  private static List<int[]> spans(int[] marks) {
    List<int[]> spans = new ArrayList<>();
    for (int from = 0; from < marks.length; ) {
      int to = from + 1;
      if (marks[from] != TokenSelector.NO_LABEL) {
        while (to < marks.length && marks[to] == CONTINUES_WORD) {
          to++;
        }
        boolean word = to - from <= MOST_OF_WORD;
        for (int i = from; i < to; i += word ? to - from : 1) {
          spans.add(new int[] {i, word ? to : i + 1});
        }
      }
      from = to;
    }
    return spans;
  }

  private static void shuffle(List<int[]> spans, RandomGenerator random) {
    for (int i = spans.size() - 1; i > 0; i--) {
      Collections.swap(spans, i, random.nextInt(i + 1));
    }
  }

  @Override
  public String toString() {
    return "whole words, " + share + " of the tokens";
  }
}
