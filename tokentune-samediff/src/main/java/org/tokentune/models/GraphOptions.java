package org.tokentune.models;

import static org.tokentune.Arguments.required;

import java.util.function.Predicate;
import org.tokentune.nn.internal.LinearAdapter;
import org.tokentune.objectives.LossSettings;
import org.tokentune.ops.KernelMode;

/**
 * The kind of graph to build for a model.
 *
 * @param training with loss, labels and dropout; otherwise all parameters are constants
 * @param split whether there are two token streams; otherwise all tokens are in one
 * @param trainable names of the parameters to train
 * @param allRows whether the last layer computes every (selected) token's row even if the head
 *     reads one
 * @param kernelMode native graphs run anywhere, fused ones on execution plans only
 * @param capacity of the cache of keys and values in a graph for decoding, in tokens; 0: the graph
 *     takes whole sequences
 * @param batched whether a graph for decoding takes several sequences, whose rows of the cache a
 *     placeholder names
 * @param adapter adapters on linear layers
 * @param loss settings of the loss in training
 * @param upstream whether the gradient of the logits is given, in place of labels and a loss
 */
public record GraphOptions(
    boolean training,
    boolean split,
    Predicate<String> trainable,
    boolean allRows,
    KernelMode kernelMode,
    int capacity,
    boolean batched,
    LinearAdapter adapter,
    LossSettings loss,
    boolean upstream) {

  public GraphOptions {
    required(trainable, "trainable");
    required(kernelMode, "kernelMode");
    required(adapter, "adapter");
    required(loss, "loss");
  }

  /** Forward only, on all tokens, with ND4J's own ops. */
  public static GraphOptions inference() {
    return new GraphOptions(
        false,
        false,
        name -> false,
        true,
        KernelMode.NATIVE,
        0,
        false,
        LinearAdapter.NONE,
        LossSettings.plain(),
        false);
  }

  /**
   * Steps of a decoder, forward only: the tokens of a step, [1, n], with a cache of the earlier
   * ones. The mask [1, length] covers the first rows of the cache, including those of the step;
   * {@code logits} are those of the last token.
   */
  public static GraphOptions decoding(int capacity) {
    return new GraphOptions(
        false,
        false,
        name -> false,
        false,
        KernelMode.NATIVE,
        capacity,
        false,
        LinearAdapter.NONE,
        LossSettings.plain(),
        false);
  }

  /**
   * As {@link #decoding}, for steps of several sequences: [batch, n]. {@link
   * ModelGraph#CACHE_ROWS}, [batch, length] like the mask, has the row of the cache of every token,
   * those of the step included; sequences that begin alike may share rows.
   *
   * @param rows of the cache
   */
  public static GraphOptions batchDecoding(int rows) {
    return new GraphOptions(
        false,
        false,
        name -> false,
        false,
        KernelMode.NATIVE,
        rows,
        true,
        LinearAdapter.NONE,
        LossSettings.plain(),
        false);
  }

  /** Training with all tokens in one stream or in two. */
  public static GraphOptions training(boolean split, Predicate<String> trainable) {
    return new GraphOptions(
        true,
        split,
        trainable,
        false,
        KernelMode.NATIVE,
        0,
        false,
        LinearAdapter.NONE,
        LossSettings.plain(),
        false);
  }

  /** Returns a copy with all rows of the last layer. */
  public GraphOptions withAllRows() {
    return new GraphOptions(
        training, split, trainable, true, kernelMode, capacity, batched, adapter, loss, upstream);
  }

  /** Returns a copy with another kernel mode. */
  public GraphOptions withKernelMode(KernelMode other) {
    return new GraphOptions(
        training, split, trainable, allRows, other, capacity, batched, adapter, loss, upstream);
  }

  /** Returns a copy with an adapter on each linear layer. */
  public GraphOptions withAdapter(LinearAdapter other) {
    return new GraphOptions(
        training, split, trainable, allRows, kernelMode, capacity, batched, other, loss, upstream);
  }

  /** Returns a copy with another loss. */
  public GraphOptions withLoss(LossSettings other) {
    return new GraphOptions(
        training,
        split,
        trainable,
        allRows,
        kernelMode,
        capacity,
        batched,
        adapter,
        other,
        upstream);
  }

  /**
   * Returns a copy whose loss is the sum of the products of the logits with {@link
   * ModelGraph#LOGITS_GRADIENT}, so that its gradients are those of whatever loss that is the
   * gradient of.
   */
  public GraphOptions withUpstream() {
    return new GraphOptions(
        training, split, trainable, allRows, kernelMode, capacity, batched, adapter, loss, true);
  }
}
