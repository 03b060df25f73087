package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Cosines of vectors, as compositions that SameDiff differentiates. */
public final class Cosines {

  /** PyTorch's {@code normalize} divides by no less than its root. */
  private static final double SMALLEST_SQUARE = 1e-24;

  private Cosines() {}

  /** Rows scaled to length 1: [n, width]. A row of zeros stays one. */
  public static SDVariable normalized(SDVariable rows) {
    required(rows, "rows");

    SameDiff sd = rows.getSameDiff();
    // With as many rows of ones, which are taken off again: of a single row, [1, n] by [1, 1],
    // ND4J's gradient of the division is wrong.
    SDVariable more = sd.concat(0, rows, sd.onesLike(rows));
    SDVariable squares = more.mul(more).sum(true, 1).add(SMALLEST_SQUARE);
    SDVariable scaled = more.div(sd.math().sqrt(squares)).reshape(2, -1);
    return sd.reshape(scaled.get(SDIndex.interval(0, 1), SDIndex.all()), sd.shape(rows));
  }

  /** The cosine of each row of one with the row of the same number of the other: [n]. */
  public static SDVariable pairs(SDVariable one, SDVariable other) {
    required(one, "one");
    required(other, "other");

    return normalized(one).mul(normalized(other)).sum(1);
  }

  /** The cosines of all rows of one with all rows of the other: [n, m]. */
  public static SDVariable matrix(SDVariable one, SDVariable other) {
    required(one, "one");
    required(other, "other");

    SameDiff sd = one.getSameDiff();
    // With the transpose as an own op: ND4J's gradient of a 1 x 1 product is wrong otherwise.
    return sd.mmul(normalized(one), sd.permute(normalized(other), 1, 0));
  }
}
