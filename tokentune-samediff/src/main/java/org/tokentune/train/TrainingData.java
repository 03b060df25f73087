package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * The data of a training. Batches are {@code MultiDataSet}s of ids, attention mask and token types,
 * INT32 [batch, length], padded on the right, and labels.
 *
 * @param batches the batches of an epoch, by its number from 0: the same ones for the same number,
 *     and equally many in each epoch. For a stream, which cannot be reset, the first batch is
 *     assumed to be the largest, and the settings must give the number of steps.
 * @param validation batches to evaluate on
 * @param identity identifies the data, their batches and the selection, by a name for each part: a
 *     training does not resume from a checkpoint with another identity. Called only if checkpoints
 *     are read or written
 * @param rowName names a row by its tokens, for messages
 */
public record TrainingData(
    IntFunction<MultiDataSetIterator> batches,
    MultiDataSetIterator validation,
    Supplier<Map<String, String>> identity,
    Function<int[], String> rowName) {

  public TrainingData {
    required(batches, "batches");
    required(validation, "validation");
    required(identity, "identity");
    required(rowName, "rowName");
  }
}
