package org.tokentune.nn;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.WriteRows;

/**
 * Keys and values of the tokens before those of a step, for one sequence: every attention layer has
 * two arrays [capacity, width], constants of the graph, whose row p is of the token at position p.
 * A step writes the rows of its own tokens and attends to as many first rows as its mask is long.
 *
 * <p>So graph and arrays stay as they are from token to token, nothing of the cache is copied, and
 * the ordinary attention runs over the rows, masked by position. Rows that no token has written yet
 * are masked too; they are 0 at first, as a masked NaN would still spread.
 */
public final class KeyValueCache {

  private static final String PREFIX = "cache.";

  private final int capacity;
  private final SDVariable positionIds;
  private final SDVariable mask;
  private final DataType type;

  /**
   * @param capacity most tokens
   * @param positionIds INT32 [1, n]: positions of the step's tokens, less than {@code capacity}
   * @param mask INT32 [1, length], above all the positions: 1 for rows of tokens
   */
  public KeyValueCache(int capacity, SDVariable positionIds, SDVariable mask, DataType type) {
    this.capacity = capacity;
    this.positionIds = positionIds;
    this.mask = mask;
    this.type = type;
  }

  /** What attention knows of the cached tokens, for some of the step's tokens as queries. */
  AttentionMask keys(TokenStream queries, int window) {
    SDVariable positions = queries.bySequence(queries.values(positionIds), 1, 1);
    return AttentionMask.ofRows(positions.permute(0, 2, 1, 3), mask, window, type);
  }

  /**
   * Writes the step's rows.
   *
   * @param name of the cache
   * @param step [n, width]
   * @return rows of all tokens, [length, width]
   */
  SDVariable all(String name, TokenStream step) {
    SameDiff sd = step.rows().getSameDiff();
    SDVariable cache =
        sd.constant(PREFIX + name, Nd4j.create(type, new long[] {capacity, step.width()}, 'c'));
    SDVariable written = WriteRows.apply(cache, step.values(positionIds), step.rows());
    SDVariable length = sd.sizeAt(mask, 1).castTo(DataType.INT64).reshape(1);
    SDVariable width = sd.constant(Nd4j.createFromArray(new long[] {step.width()}));
    SDVariable start = sd.constant(Nd4j.createFromArray(new long[] {0, 0}));
    return sd.slice(written, start, sd.concat(0, length, width));
  }

  /** The arrays of a graph's caches. */
  public static List<INDArray> arrays(SameDiff sd) {
    return sd.variables().stream()
        .filter(variable -> variable.name().startsWith(PREFIX))
        .map(SDVariable::getArr)
        .toList();
  }
}
