package org.tokentune.datasets;

import java.util.function.Supplier;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** The batches of one pool of a stream's rows after another. */
final class PooledBatches extends BatchIterator {

  private final transient Supplier<BatchIterator> pools;
  private transient BatchIterator pool;

  /**
   * @param pools makes the next pool, without batches if the stream has ended
   */
  PooledBatches(Supplier<BatchIterator> pools) {
    this.pools = pools;
    pool = pools.get();
  }

  @Override
  public boolean hasNext() {
    return pool.hasNext();
  }

  @Override
  MultiDataSet batch() {
    MultiDataSet batch = pool.next();
    if (!pool.hasNext()) {
      pool = pools.get();
    }
    return batch;
  }

  @Override
  public boolean resetSupported() {
    return false;
  }

  @Override
  public void reset() {
    throw new UnsupportedOperationException("a stream is read once");
  }
}
