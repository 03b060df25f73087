package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Which keys a query sees, by places: those within a range. A place is a row of the flattened
 * batch, so that places ascend within a sequence.
 *
 * @param selected for selected queries
 * @param frozen for frozen queries; null if there are none
 * @param selectedKeys INT32 [batch, count]: places of the selected keys, -1 for padding
 * @param frozenKeys likewise; null if there are none
 */
public record VisibleRanges(
    Range selected, Range frozen, SDVariable selectedKeys, SDVariable frozenKeys) {

  /**
   * Both ends are visible.
   *
   * @param first INT32 [batch, count]
   * @param last INT32 [batch, count]
   */
  public record Range(SDVariable first, SDVariable last) {}

  /** Every query sees all tokens within its window; parameters as {@link AttentionMask#all}. */
  static VisibleRanges all(TokenStreams queries, TokenStreams tokens, SDVariable mask, int window) {
    return new VisibleRanges(
        near(queries.selected(), window),
        queries.frozen() == null ? null : near(queries.frozen(), window),
        places(tokens.selected(), mask),
        tokens.frozen() == null ? null : places(tokens.frozen(), mask));
  }

  /**
   * Every query sees tokens of its own text up to itself; parameters as {@link
   * AttentionMask#causal}.
   */
  static VisibleRanges causal(
      TokenStreams tokens, SDVariable mask, SDVariable positionIds, int window) {
    return new VisibleRanges(
        before(tokens.selected(), positionIds, window),
        tokens.frozen() == null ? null : before(tokens.frozen(), positionIds, window),
        places(tokens.selected(), mask),
        tokens.frozen() == null ? null : places(tokens.frozen(), mask));
  }

  private static Range near(TokenStream asking, int window) {
    SDVariable own = asking.bySequence(asking.rowIds());
    if (window == 0) {
      SDVariable zeros = own.mul(constant(own, 0));
      return new Range(zeros, zeros.add(constant(own, Integer.MAX_VALUE)));
    }
    SDVariable reach = constant(own, window - 1);
    return new Range(own.sub(reach), own.add(reach));
  }

  private static Range before(TokenStream asking, SDVariable positionIds, int window) {
    return new Range(first(asking, positionIds, window), asking.bySequence(asking.rowIds()));
  }

  /**
   * The first place that a causal query sees, INT32 [batch, count]: its text begins as many places
   * before it as its position says.
   *
   * @param positionIds INT32 [batch, length]
   * @param window number of places visible to a query, including itself; 0 for no limit
   */
  static SDVariable first(TokenStream asking, SDVariable positionIds, int window) {
    SDVariable own = asking.bySequence(asking.rowIds());
    SDVariable before = asking.bySequence(asking.values(positionIds));
    if (window > 0) {
      SDVariable reach = own.mul(constant(own, 0)).add(constant(own, window - 1));
      before = own.getSameDiff().math().min(before, reach);
    }
    return own.sub(before);
  }

  private static SDVariable places(TokenStream keys, SDVariable mask) {
    SDVariable unpadded = keys.bySequence(keys.values(mask).castTo(DataType.INT32));
    SDVariable own = keys.bySequence(keys.rowIds()).mul(unpadded);
    return own.add(unpadded.sub(constant(own, 1)));
  }

  private static SDVariable constant(SDVariable like, int value) {
    SameDiff sd = like.getSameDiff();
    return sd.constant(value);
  }
}
