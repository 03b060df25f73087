package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadDataException;

/**
 * Batches of texts in the form that DL4J has for one input: features are the token ids, INT32
 * [batch, length], and the mask of features is the attention mask. So whatever takes a {@link
 * DataSetIterator} takes texts, for a network whose encoder has the ids as its only input.
 */
public final class SingleInputs implements DataSetIterator {

  private static final long serialVersionUID = 1;

  private final transient MultiDataSetIterator batches;
  private final transient List<String> labels;
  private DataSetPreProcessor preProcessor;

  /**
   * @param batches whose features are ids, attention mask and token types, as those of {@link
   *     TextBatches}
   * @param labels names of the outputs
   */
  public SingleInputs(MultiDataSetIterator batches, Labels labels) {
    this.batches = required(batches, "batches");
    this.labels = required(labels, "labels").names();
  }

  @Override
  public boolean hasNext() {
    return batches.hasNext();
  }

  /**
   * The next batch.
   *
   * @throws BadDataException if it has token types other than 0, for which there is no place
   */
  @Override
  public DataSet next() {
    MultiDataSet batch = batches.next();
    INDArray[] features = batch.getFeatures();
    if (features.length > 2 && features[2].neq(0).any()) {
      throw new BadDataException(
          "A batch has token types, for which a single input has no place; train pairs of texts on"
              + " batches with three inputs.");
    }
    DataSet single = new DataSet(features[0], batch.getLabels(0), features[1], null);
    if (preProcessor != null) {
      preProcessor.preProcess(single);
    }
    return single;
  }

  @Override
  public DataSet next(int size) {
    return next();
  }

  /** Unknown: every batch has a length of its own. */
  @Override
  public int inputColumns() {
    return -1;
  }

  @Override
  public int totalOutcomes() {
    return labels.size();
  }

  @Override
  public boolean resetSupported() {
    return batches.resetSupported();
  }

  @Override
  public boolean asyncSupported() {
    return batches.asyncSupported();
  }

  @Override
  public void reset() {
    batches.reset();
  }

  /** Unknown: the size is that of the batches. */
  @Override
  public int batch() {
    return -1;
  }

  @Override
  public void setPreProcessor(DataSetPreProcessor preProcessor) {
    this.preProcessor = preProcessor;
  }

  @Override
  public DataSetPreProcessor getPreProcessor() {
    return preProcessor;
  }

  @Override
  public List<String> getLabels() {
    return labels;
  }
}
