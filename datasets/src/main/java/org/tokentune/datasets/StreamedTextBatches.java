package org.tokentune.datasets;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Batches of labelled texts of which a few are held at a time. */
final class StreamedTextBatches extends BatchIterator {

  private final transient Iterable<Example> rows;
  private final transient Labels labels;
  private final transient TextTokenizer tokenizer;
  private final int batchSize;
  private final long seed;
  private int epoch;
  private int pools;
  private transient Iterator<Example> left;
  private transient TokenBatches pool;

  StreamedTextBatches(
      Iterable<Example> rows, Labels labels, TextTokenizer tokenizer, int batchSize, long seed) {
    this.rows = rows;
    this.labels = labels;
    this.tokenizer = tokenizer;
    this.batchSize = batchSize;
    this.seed = seed;
    left = rows.iterator();
  }

  @Override
  public boolean hasNext() {
    if (pool == null || !pool.hasNext()) {
      List<TokenBatches.Row> some = new ArrayList<>();
      while (some.size() < TokenBatches.POOL * batchSize && left.hasNext()) {
        some.add(TokenBatches.Row.of(left.next(), labels, tokenizer));
      }
      if (some.isEmpty()) {
        return false;
      }
      pool = TokenBatches.shuffled(some, labels.task(), batchSize, seed + pools++, epoch);
    }
    return true;
  }

  @Override
  MultiDataSet batch() {
    return TextBatches.oneHot(pool.next(), labels);
  }

  @Override
  public void reset() {
    epoch++;
    pools = 0;
    pool = null;
    left = rows.iterator();
  }
}
