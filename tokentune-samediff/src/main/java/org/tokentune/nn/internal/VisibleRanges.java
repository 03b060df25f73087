package org.tokentune.nn.internal;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Which keys a query sees, by places: those within a range. A place is a row of the flattened
 * batch, so that places ascend within a sequence; of cached keys, it is the position.
 */
public final class VisibleRanges {

  /**
   * Both ends are visible.
   *
   * @param first INT32 [batch, count]
   * @param last INT32 [batch, count]
   */
  public record Range(SDVariable first, SDVariable last) {}

  private final SDVariable selectedKeys;
  private final SDVariable frozenKeys;
  private final Function<TokenStream, Range> range;
  private final Map<String, Range> ranges = new HashMap<>(); // by the name of a stream's rowIds

  private VisibleRanges(
      SDVariable selectedKeys, SDVariable frozenKeys, Function<TokenStream, Range> range) {
    this.selectedKeys = selectedKeys;
    this.frozenKeys = frozenKeys;
    this.range = range;
  }

  /**
   * Queries among the tokens themselves.
   *
   * @param mask INT32 [batch, length]: 1 for tokens, 0 for padding
   * @param positionIds INT32 [batch, length] if a query sees tokens of its own text up to itself
   *     only; null if it sees all
   * @param window distances below it are visible; 0 for no limit
   */
  static VisibleRanges of(
      TokenStreams tokens, SDVariable mask, SDVariable positionIds, int window) {
    return new VisibleRanges(
        places(tokens.selected(), mask),
        tokens.frozen() == null ? null : places(tokens.frozen(), mask),
        queries -> range(queries, positionIds, window));
  }

  /**
   * Causal queries among the keys of a cache, which are in order of position, starting at 0.
   *
   * @param positionIds INT32 [batch, n]: positions of the step's tokens
   * @param mask INT32 [batch, length]: 1 for positions that hold tokens
   * @param window number of positions visible to a query, including itself; 0 for no limit
   */
  static VisibleRanges ofCached(SDVariable positionIds, SDVariable mask, int window) {
    SDVariable places = numbers(mask).reshape(1, -1).mul(mask);
    return new VisibleRanges(
        places.add(mask.sub(constant(mask, 1))),
        null,
        queries -> {
          SDVariable own = queries.bySequence(queries.values(positionIds));
          SDVariable first =
              window == 0 ? own.mul(constant(own, 0)) : own.sub(constant(own, window - 1));
          return new Range(first, own);
        });
  }

  /** INT32 [length]: the numbers of the columns of an INT32 [batch, length], from 0 on. */
  static SDVariable numbers(SDVariable columns) {
    SameDiff sd = columns.getSameDiff();
    SDVariable length = sd.sizeAt(columns, 1).castTo(DataType.INT32);
    return sd.range(sd.constant(0), length, sd.constant(1), DataType.INT32);
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
    return ranges.computeIfAbsent(queries.rowIds().name(), name -> range.apply(queries));
  }

  private static Range range(TokenStream queries, SDVariable positionIds, int window) {
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
