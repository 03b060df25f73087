package org.tokentune.models;

import java.util.function.Predicate;
import org.tokentune.ops.Style;

/**
 * Which graph of a model to build.
 *
 * @param training with loss, labels and dropout; otherwise all parameters are constants
 * @param split two token streams; otherwise all tokens are in one
 * @param trainable names of the parameters to train
 * @param allRows whether the last layer computes every (selected) token's row even where the head
 *     reads one
 * @param style native graphs run anywhere, fused ones on execution plans only
 */
public record GraphOptions(
    boolean training, boolean split, Predicate<String> trainable, boolean allRows, Style style) {

  /** Forward only, all tokens, ND4J's own ops only. */
  public static GraphOptions inference() {
    return new GraphOptions(false, false, name -> false, true, Style.NATIVE);
  }

  /** Training with all tokens in one stream or in two. */
  public static GraphOptions training(boolean split, Predicate<String> trainable) {
    return new GraphOptions(true, split, trainable, false, Style.NATIVE);
  }

  /** The same, with all rows of the last layer. */
  public GraphOptions withAllRows() {
    return new GraphOptions(training, split, trainable, true, style);
  }

  /** The same, with ops written in another style. */
  public GraphOptions withStyle(Style other) {
    return new GraphOptions(training, split, trainable, allRows, other);
  }
}
