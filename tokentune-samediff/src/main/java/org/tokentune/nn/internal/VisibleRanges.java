package org.tokentune.nn.internal;

import java.util.HashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Which keys a query sees, by places: those within a range. A place is a row of the flattened
 * batch, so that places ascend within a sequence.
 */
public final class VisibleRanges {

  /**
   * Both ends are visible.
   *
   * @param first INT32 [batch, count]
   * @param last INT32 [batch, count]
   */
  public record Range(SDVariable first, SDVariable last) {}

  private final SDVariable positionIds;
  private final int window;
  private final SDVariable selectedKeys;
  private final SDVariable frozenKeys;
  private final Map<String, Range> ranges = new HashMap<>(); // by the name of a stream's rowIds

  /**
   * @param mask INT32 [batch, length]: 1 for tokens, 0 for padding
   * @param positionIds INT32 [batch, length] if a query sees tokens of its own text up to itself
   *     only; null if it sees all
   * @param window distances below it are visible; 0 for no limit
   */
  VisibleRanges(TokenStreams tokens, SDVariable mask, SDVariable positionIds, int window) {
    this.positionIds = positionIds;
    this.window = window;
    selectedKeys = places(tokens.selected(), mask);
    frozenKeys = tokens.frozen() == null ? null : places(tokens.frozen(), mask);
  }

  /** INT32 [batch, count]: places of the selected keys, -1 for padding. */
  SDVariable selectedKeys() {
    return selectedKeys;
  }

  /** Likewise of the frozen keys; null if there are none. */
  SDVariable frozenKeys() {
    return frozenKeys;
  }

  /** The range of each of these queries. */
  Range of(TokenStream queries) {
    return ranges.computeIfAbsent(queries.rowIds().name(), name -> range(queries));
  }

  private Range range(TokenStream queries) {
    SDVariable own = queries.bySequence(queries.rowIds());
    if (positionIds != null) {
      return new Range(first(queries, positionIds, window), own);
    }
    if (window == 0) {
      SDVariable zeros = own.mul(constant(own, 0));
      return new Range(zeros, zeros.add(constant(own, Integer.MAX_VALUE)));
    }
    SDVariable reach = constant(own, window - 1);
    return new Range(own.sub(reach), own.add(reach));
  }

  /**
   * The first place that a causal query sees, INT32 [batch, count]: its text begins as many places
   * before it as its position says.
   *
   * @param positionIds INT32 [batch, length]
   * @param window number of places visible to a query, including itself; 0 for no limit
   */
  static SDVariable first(TokenStream queries, SDVariable positionIds, int window) {
    SDVariable own = queries.bySequence(queries.rowIds());
    SDVariable before = queries.bySequence(queries.values(positionIds));
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
    return like.getSameDiff().constant(value);
  }
}
