package org.tokentune.train;

import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * What a training reads. Batches are {@code MultiDataSet}s of ids, attention mask and token types,
 * INT32 [batch, length], padded on the right, and labels.
 *
 * @param batches an epoch's batches, by its number from 0; the same ones for the same number, and
 *     as many in each epoch. Of a stream, which cannot be reset, the first batch is taken for the
 *     largest, and the settings must say how many steps there are.
 * @param validation batches to evaluate on
 * @param identity what tells these data, and how they are batched and selected from, from others,
 *     by a name for each part: a training goes on from no checkpoint that was made with others;
 *     asked for only where checkpoints are read or written
 * @param rowName says by its tokens which row it is, for messages
 */
public record TrainingData(
    IntFunction<MultiDataSetIterator> batches,
    MultiDataSetIterator validation,
    Supplier<Map<String, String>> identity,
    Function<int[], String> rowName) {}
