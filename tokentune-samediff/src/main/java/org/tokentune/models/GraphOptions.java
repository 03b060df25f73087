package org.tokentune.models;

import java.util.function.Predicate;
import org.tokentune.nn.LinearAdapter;
import org.tokentune.ops.KernelMode;

/**
 * Which graph of a model to build.
 *
 * @param training with loss, labels and dropout; otherwise all parameters are constants
 * @param split two token streams; otherwise all tokens are in one
 * @param trainable names of the parameters to train
 * @param allRows whether the last layer computes every (selected) token's row even where the head
 *     reads one
 * @param kernelMode native graphs run anywhere, fused ones on execution plans only
 * @param capacity of the cache of keys and values, in tokens, of a graph for decoding; 0: a graph
 *     takes whole sequences
 * @param adapter of the linear layers
 */
public record GraphOptions(
    boolean training,
    boolean split,
    Predicate<String> trainable,
    boolean allRows,
    KernelMode kernelMode,
    int capacity,
    LinearAdapter adapter) {

  /** Forward only, all tokens, ND4J's own ops only. */
  public static GraphOptions inference() {
    return new GraphOptions(
        false, false, name -> false, true, KernelMode.NATIVE, 0, LinearAdapter.NONE);
  }

  /**
   * Steps of a decoder, forward only: a step's tokens, [1, n], beside a cache of those before. The
   * mask [1, length] is for the first rows of the cache, with the step's; {@code logits} are of the
   * last token.
   */
  public static GraphOptions decoding(int capacity) {
    return new GraphOptions(
        false, false, name -> false, false, KernelMode.NATIVE, capacity, LinearAdapter.NONE);
  }

  /** Training with all tokens in one stream or in two. */
  public static GraphOptions training(boolean split, Predicate<String> trainable) {
    return new GraphOptions(
        true, split, trainable, false, KernelMode.NATIVE, 0, LinearAdapter.NONE);
  }

  /** The same, with all rows of the last layer. */
  public GraphOptions withAllRows() {
    return new GraphOptions(training, split, trainable, true, kernelMode, capacity, adapter);
  }

  /** The same, with ops written in another style. */
  public GraphOptions withKernelMode(KernelMode other) {
    return new GraphOptions(training, split, trainable, allRows, other, capacity, adapter);
  }

  /** The same, with an adapter of the linear layers. */
  public GraphOptions withAdapter(LinearAdapter other) {
    return new GraphOptions(training, split, trainable, allRows, kernelMode, capacity, other);
  }
}
