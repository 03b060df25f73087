package org.tokentune.train;

import java.util.Map;
import java.util.function.IntFunction;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * What a training reads. Batches are {@code MultiDataSet}s of ids, attention mask and token types,
 * INT32 [batch, length], padded on the right, and labels; their example metadata, where they have
 * some, are numbers of rows.
 *
 * @param batches an epoch's batches, by its number from 0; the same number of them in each
 * @param validation batches to evaluate on
 * @param identity what tells these data, and how they are batched and selected from, from others,
 *     by a name for each part: a training goes on from no checkpoint that was made with others
 * @param rowName says by its number which row it is, for messages
 */
public record TrainingData(
    IntFunction<MultiDataSetIterator> batches,
    MultiDataSetIterator validation,
    Map<String, String> identity,
    IntFunction<String> rowName) {}
