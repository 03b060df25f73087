package org.tokentune.models;

import java.util.function.Predicate;

/**
 * Which graph of a model to build.
 *
 * @param training with loss, labels and dropout; otherwise all parameters are constants
 * @param split two token streams; otherwise all tokens are in one
 * @param trainable names of the parameters to train
 * @param allRows whether the last layer computes every (selected) token's row even where the head
 *     reads one
 */
public record GraphOptions(
    boolean training, boolean split, Predicate<String> trainable, boolean allRows) {

  /** Forward only, all tokens, ND4J's own ops only. */
  public static GraphOptions inference() {
    return new GraphOptions(false, false, name -> false, true);
  }

  /** Training with all tokens in one stream or in two. */
  public static GraphOptions training(boolean split, Predicate<String> trainable) {
    return new GraphOptions(true, split, trainable, false);
  }

  /** The same, with all rows of the last layer. */
  public GraphOptions withAllRows() {
    return new GraphOptions(training, split, trainable, true);
  }
}
