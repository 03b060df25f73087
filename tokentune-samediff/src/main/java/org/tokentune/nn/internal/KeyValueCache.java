package org.tokentune.nn.internal;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.TokenGather;
import org.tokentune.ops.WriteRows;

/**
 * Keys and values of a sequence's earlier tokens: every attention layer has two arrays [capacity,
 * width], constants of the graph, whose row p belongs to the token at position p. A step writes the
 * rows of its own tokens and attends to the first rows, up to the length of its mask.
 *
 * <p>So graph and arrays stay the same from token to token, the cache is never copied, and ordinary
 * attention runs over the rows, masked by position. Rows not yet written are masked as well; they
 * are initially 0, because even a masked NaN would spread.
 *
 * <p>Several sequences have their rows anywhere in these arrays, and name them; a step copies the
 * rows of all into one block. So sequences that begin alike share rows, and a beam that is chosen
 * twice is not copied in the cache.
 */
public final class KeyValueCache {

  private static final String PREFIX = "cache.";

  private final int capacity;
  private final SDVariable positionIds;
  private final SDVariable mask;
  private final SDVariable rows;
  private final DataType type;
  private final Map<String, SDVariable> own = new HashMap<>(); // by the name of a stream's rowIds

  /**
   * @param capacity maximum number of tokens
   * @param positionIds INT32 [batch, n]: positions of the step's tokens; if {@code rows} is null,
   *     batch is 1 and they are below {@code capacity}
   * @param mask INT32 [batch, length], longer than any position: 1 for positions that hold tokens
   * @param rows INT32 [batch, length]: the row of each position in the cache; null: row p for
   *     position p
   */
  public KeyValueCache(
      int capacity, SDVariable positionIds, SDVariable mask, SDVariable rows, DataType type) {
    this.capacity = capacity;
    this.positionIds = positionIds;
    this.mask = mask;
    this.rows = rows;
    this.type = type;
  }

  /** The attention mask over cached tokens, with some of the step's tokens as queries. */
  AttentionMask keys(TokenStream queries, int window) {
    return AttentionMask.ofCached(queries, positionIds, mask, window, type);
  }

  /**
   * Writes the step's rows into a cache.
   *
   * @param name name of the cache
   * @param step [batch * n, width]
   * @return the rows of all tokens, [batch * length, width]
   */
  SDVariable all(String name, TokenStream step, KernelMode kernelMode) {
    SameDiff sd = step.rows().getSameDiff();
    SDVariable cache =
        sd.constant(PREFIX + name, Nd4j.create(type, new long[] {capacity, step.width()}, 'c'));
    SDVariable written = WriteRows.apply(cache, own(step), step.rows());
    if (rows != null) {
      return TokenGather.rows(written, sd.reshape(rows, -1), kernelMode);
    }
    SDVariable length = sd.sizeAt(mask, 1).castTo(DataType.INT64).reshape(1);
    SDVariable width = sd.constant(Nd4j.createFromArray(new long[] {step.width()}));
    SDVariable start = sd.constant(Nd4j.createFromArray(new long[] {0, 0}));
    return sd.slice(written, start, sd.concat(0, length, width));
  }

  /** The cache's rows of the step's tokens, the same in all layers. */
  private SDVariable own(TokenStream step) {
    return own.computeIfAbsent(
        step.rowIds().name(),
        name ->
            rows == null
                ? step.values(positionIds)
                : TokenGather.elements(rows, TokenGather.rowIds(rows, positionIds)));
  }

  /** The arrays of a graph's caches. */
  public static List<INDArray> arrays(SameDiff sd) {
    return sd.variables().stream()
        .filter(variable -> variable.name().startsWith(PREFIX))
        .map(SDVariable::getArr)
        .toList();
  }
}
