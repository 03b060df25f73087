package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.TokenGather;

/**
 * Hidden states of some tokens of every sequence in a batch.
 *
 * @param rows [batch * count, width], sequence by sequence
 * @param width size of a row
 * @param counts INT64 [2]: batch and count, the number of tokens per sequence in this stream
 * @param rowIds INT32 [batch * count]: the tokens' rows in the flattened batch, {@code sequence *
 *     length + position}
 * @param differentiable whether gradients flow through this stream
 */
public record TokenStream(
    SDVariable rows, long width, SDVariable counts, SDVariable rowIds, boolean differentiable) {

  /** The same tokens with other rows of the same width. */
  public TokenStream with(SDVariable newRows) {
    return with(newRows, width);
  }

  /** The same tokens with other rows. */
  public TokenStream with(SDVariable newRows, long newWidth) {
    return new TokenStream(newRows, newWidth, counts, rowIds, differentiable);
  }

  /** The rows as [batch, count, sizes...]; the sizes' product is the width. */
  public SDVariable bySequence(long... sizes) {
    return bySequence(rows, sizes);
  }

  /** Any values for these tokens, as [batch, count, sizes...]. */
  public SDVariable bySequence(SDVariable values, long... sizes) {
    SameDiff sd = values.getSameDiff();
    return sd.reshape(values, sd.concat(0, counts, sd.constant(Nd4j.createFromArray(sizes))));
  }

  /** Elements of an INT32 [batch, length] at these tokens: [batch * count]. */
  public SDVariable values(SDVariable batch) {
    return TokenGather.elements(batch, rowIds);
  }

  /** Only the first token of every sequence: [batch, width]. */
  public TokenStream first() {
    SameDiff sd = rows.getSameDiff();
    SDVariable firstRows = bySequence(width).get(SDIndex.all(), SDIndex.point(0), SDIndex.all());
    SDVariable firstIds = sd.reshape(rowIds, counts).get(SDIndex.all(), SDIndex.point(0));
    SDVariable firstCounts =
        sd.concat(0, sd.shape(firstIds), sd.constant(Nd4j.createFromArray(new long[] {1})));
    return new TokenStream(firstRows, width, firstCounts, firstIds, differentiable);
  }

  /** Only the last token of every sequence: [batch, width], without gradient. */
  public TokenStream last() {
    SameDiff sd = rows.getSameDiff();
    SDVariable ids = sd.reshape(rowIds, counts);
    SDVariable last = counts.get(SDIndex.interval(1, 2)).sub(1).castTo(DataType.INT32);
    SDVariable numbers = TokenGather.rowIds(ids, last.reshape(1, 1));
    SDVariable one = sd.constant(Nd4j.createFromArray(new long[] {1}));
    return new TokenStream(
        sd.gather(rows, numbers, 0),
        width,
        sd.concat(0, counts.get(SDIndex.interval(0, 1)), one),
        TokenGather.elements(ids, numbers),
        false);
  }
}
