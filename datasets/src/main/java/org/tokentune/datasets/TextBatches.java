package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.objectives.Objectives;

/**
 * Batches of labelled texts for DL4J networks and SameDiff graphs, in a new order after every
 * {@link #reset}.
 *
 * <p>Features are ids, attention mask and token types, INT32 [batch, length], padded on the right.
 * Labels are FLOAT [batch, outputs]: one-hot for classes, 0 or 1 for each label, or a number.
 */
public final class TextBatches extends BatchIterator {

  private final List<TokenBatches.Row> rows;
  private final Labels labels;
  private final int batchSize;
  private final long seed;
  private int epoch;
  private TokenBatches batches;

  /**
   * Tokenises the rows.
   *
   * @param seed of the order
   * @throws BadInputException for tags or answers, or labels that are not among {@code labels}
   */
  public TextBatches(
      List<Example> rows, Labels labels, TextTokenizer tokenizer, int batchSize, long seed) {
    required(rows, "rows");
    check(labels, tokenizer, batchSize);
    this.rows = rows.stream().map(row -> TokenBatches.Row.of(row, labels, tokenizer)).toList();
    this.labels = labels;
    this.batchSize = batchSize;
    this.seed = seed;
    batches = batches();
  }

  /**
   * The same of texts that are read, tokenised and batched as they are asked for: at most 50
   * batches are held, among which texts are sorted by length and batches shuffled. {@code reset}
   * reads the texts again.
   *
   * @param rows in random order, as batches mix texts that are near each other only
   * @param seed of the order of the batches
   * @throws BadInputException as the constructor
   */
  public static MultiDataSetIterator streamed(
      Iterable<Example> rows, Labels labels, TextTokenizer tokenizer, int batchSize, long seed) {
    required(rows, "rows");
    check(labels, tokenizer, batchSize);
    return new StreamedTextBatches(rows, labels, tokenizer, batchSize, seed);
  }

  private static void check(Labels labels, TextTokenizer tokenizer, int batchSize) {
    required(labels, "labels");
    required(tokenizer, "tokenizer");
    if (labels.task() == Objectives.TOKEN || labels.task() == Objectives.QUESTION_ANSWERING) {
      throw new BadDataException(
          "Tags of words and answers are not labels of whole texts; give labels of whole texts.");
    }
    if (batchSize < 1) {
      throw BadSettingsException.of("batchSize", "must be at least 1, got %d.", batchSize);
    }
  }

  private TokenBatches batches() {
    return TokenBatches.shuffled(rows, labels.task(), batchSize, seed, epoch);
  }

  @Override
  public boolean hasNext() {
    return batches.hasNext();
  }

  @Override
  MultiDataSet batch() {
    return oneHot(batches.next(), labels);
  }

  /** A batch with one-hot labels in place of numbers of classes. */
  static MultiDataSet oneHot(MultiDataSet batch, Labels labels) {
    if (labels.task() == Objectives.CLASSIFY) {
      batch.setLabels(0, oneHot(batch.getLabels(0), labels));
    }
    return batch;
  }

  private static INDArray oneHot(INDArray numbers, Labels labels) {
    int[] classes = numbers.toIntVector();
    float[][] ones = new float[classes.length][labels.outputs()];
    for (int row = 0; row < ones.length; row++) {
      ones[row][classes[row]] = 1;
    }
    return Nd4j.createFromArray(ones);
  }

  @Override
  public void reset() {
    epoch++;
    batches = batches();
  }
}
