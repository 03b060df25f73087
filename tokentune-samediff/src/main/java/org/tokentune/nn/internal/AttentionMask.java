package org.tokentune.nn.internal;

import java.util.function.Function;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.ops.MaskedSoftmax;

/**
 * Attention biases for keys in the order [selected ; frozen]. A bias is 0 for visible keys and very
 * negative for masked ones. {@code ranges} says the same by places, for attention without biases.
 *
 * @param selectedBias for selected queries: [batch, 1, 1, length], or one for each query [batch, 1,
 *     count, length]
 * @param frozenBias for frozen queries, likewise; null if there are none
 * @param rowIds INT32 [batch, 1, 1, length]: the keys' original rows, by which dropout identifies
 *     them
 * @param ranges the keys that each query sees
 */
public record AttentionMask(
    SDVariable selectedBias, SDVariable frozenBias, SDVariable rowIds, VisibleRanges ranges) {

  /**
   * Every query attends to all tokens within its window except padding.
   *
   * @param queries the tokens that attend
   * @param mask INT32 [batch, length]: 1 for tokens, 0 for padding
   * @param window distances below it are visible, to both sides; 0 for no limit
   */
  public static AttentionMask all(
      TokenStreams queries, TokenStreams tokens, SDVariable mask, int window, DataType type) {
    SDVariable unpadded = unpadded(tokens, mask);
    SDVariable keys = rowIds(tokens);
    VisibleRanges ranges = VisibleRanges.of(tokens, mask, null, window);
    if (window == 0) {
      SDVariable bias = MaskedSoftmax.bias(unpadded, type);
      return new AttentionMask(bias, tokens.frozen() == null ? null : bias, keys, ranges);
    }
    return new AttentionMask(
        near(queries.selected(), unpadded, keys, window, type),
        queries.frozen() == null ? null : near(queries.frozen(), unpadded, keys, window, type),
        keys,
        ranges);
  }

  private static SDVariable near(
      TokenStream asking, SDVariable unpadded, SDVariable keys, int window, DataType type) {
    SameDiff sd = keys.getSameDiff();
    SDVariable distances = sd.math().abs(places(asking).sub(keys));
    SDVariable open = sd.lt(distances, sd.constant(window)).castTo(DataType.INT32);
    return MaskedSoftmax.bias(unpadded.mul(open), type);
  }

  /**
   * Every query attends to tokens of its own text up to itself, by original position, except
   * padding.
   *
   * @param mask INT32 [batch, length]: 1 for tokens, 0 for padding
   * @param positionIds INT32 [batch, length]: positions within a text. Where they begin anew in a
   *     row, another text begins.
   * @param window number of positions visible to a query, including itself; 0 for no limit
   */
  public static AttentionMask causal(
      Graph graph,
      TokenStreams tokens,
      SDVariable mask,
      SDVariable positionIds,
      int window,
      DataType type) {
    if (graph.cache() != null) {
      return graph.cache().keys(tokens.selected(), window);
    }
    SDVariable unpadded = unpadded(tokens, mask);
    SDVariable keys = rowIds(tokens);
    return new AttentionMask(
        bias(tokens.selected(), unpadded, keys, positionIds, window, type),
        tokens.frozen() == null
            ? null
            : bias(tokens.frozen(), unpadded, keys, positionIds, window, type),
        keys,
        VisibleRanges.of(tokens, mask, positionIds, window));
  }

  /**
   * A causal mask for a step's queries among cached keys, which are in order of position, starting
   * at 0.
   *
   * @param positionIds INT32 [batch, n]: positions of the step's tokens
   * @param mask INT32 [batch, length]: 1 for positions that hold tokens
   */
  static AttentionMask ofCached(
      TokenStream asking, SDVariable positionIds, SDVariable mask, int window, DataType type) {
    SDVariable positions = asking.bySequence(asking.values(positionIds), 1, 1);
    SDVariable queries = positions.permute(0, 2, 1, 3); // [batch, 1, count, 1]
    SDVariable keys = VisibleRanges.numbers(mask).reshape(1, 1, 1, -1);
    SDVariable open = visible(queries, byKey(mask), keys);
    if (window > 0) {
      open = from(queries.sub(keys.getSameDiff().constant(window - 1)), open, keys);
    }
    return new AttentionMask(
        MaskedSoftmax.bias(open, type),
        null,
        keys,
        VisibleRanges.ofCached(positionIds, mask, window));
  }

  /** [batch, length] as [batch, 1, 1, length]. */
  private static SDVariable byKey(SDVariable mask) {
    SameDiff sd = mask.getSameDiff();
    return sd.expandDims(sd.expandDims(mask, 1), 1);
  }

  /** Within a sequence, rows are in order of position. */
  private static SDVariable bias(
      TokenStream asking,
      SDVariable unpadded,
      SDVariable keys,
      SDVariable positionIds,
      int window,
      DataType type) {
    SDVariable queries = places(asking);
    SDVariable first = VisibleRanges.first(asking, positionIds, window);
    SDVariable open = visible(queries, unpadded, keys);
    return MaskedSoftmax.bias(
        from(asking.bySequence(first, 1, 1).permute(0, 2, 1, 3), open, keys), type);
  }

  /** INT32 [batch, 1, count, 1]. */
  static SDVariable places(TokenStream asking) {
    return asking.bySequence(asking.rowIds(), 1, 1).permute(0, 2, 1, 3);
  }

  /** INT32 [batch, 1, queries, keys]: 1 for tokens up to the query. */
  private static SDVariable visible(SDVariable queries, SDVariable unpadded, SDVariable keys) {
    SameDiff sd = keys.getSameDiff();
    return unpadded.mul(sd.lte(keys, queries).castTo(DataType.INT32));
  }

  /** The same without keys before the first row that a query sees. */
  private static SDVariable from(SDVariable first, SDVariable open, SDVariable keys) {
    return open.mul(keys.getSameDiff().gte(keys, first).castTo(DataType.INT32));
  }

  private static SDVariable unpadded(TokenStreams tokens, SDVariable mask) {
    return byKey(tokens, stream -> stream.values(mask));
  }

  private static SDVariable rowIds(TokenStreams tokens) {
    return byKey(tokens, TokenStream::rowIds);
  }

  /** Values of each stream, [batch * count], as [batch, 1, 1, length]. */
  private static SDVariable byKey(TokenStreams tokens, Function<TokenStream, SDVariable> values) {
    SDVariable selected = byKey(tokens.selected(), values);
    return tokens.frozen() == null
        ? selected
        : selected.getSameDiff().concat(3, selected, byKey(tokens.frozen(), values));
  }

  private static SDVariable byKey(TokenStream stream, Function<TokenStream, SDVariable> values) {
    return stream.bySequence(values.apply(stream), 1, 1).permute(0, 2, 3, 1);
  }
}
