package org.tokentune.nn.internal;

import java.util.HashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.Rotation;

/**
 * Rotary positions (Su et al., 2021): rotates every head of a query or key, or its first numbers,
 * by its token's position times the frequencies.
 */
public final class Rotary {

  /** Cosines and sines, [n, rotated size / 2] each. */
  private record Angles(SDVariable cos, SDVariable sin) {}

  private final SDVariable positionIds;
  private final int headSize;
  private final float[] frequencies;
  private final double factor;
  private final DataType type;
  private final Map<String, Angles> done = new HashMap<>();

  /**
   * @param positionIds INT32 [batch, length]
   * @param frequencies radians per position, [rotated size / 2]
   * @param factor of the rotated queries and keys
   * @param type the model's data type
   */
  public Rotary(
      SDVariable positionIds, int headSize, float[] frequencies, double factor, DataType type) {
    this.positionIds = positionIds;
    this.headSize = headSize;
    this.frequencies = frequencies.clone();
    this.factor = factor;
    this.type = type;
  }

  /** Rotates the result of a projection [n, in] to [n, heads * head size]. */
  public NetworkLayer after(NetworkLayer projection) {
    return (graph, x) -> {
      TokenStream rows = projection.apply(graph, x);
      int heads = (int) rows.width() / headSize;
      Angles angles = done.computeIfAbsent(x.rowIds().name(), name -> angles(graph, x));
      return rows.with(
          2 * frequencies.length == headSize
              ? rotated(rows.rows(), angles, heads, graph)
              : partlyRotated(rows.rows(), angles, heads, graph));
    };
  }

  /**
   * @param rows [n, heads * rotated size]
   */
  private SDVariable rotated(SDVariable rows, Angles angles, int heads, Graph graph) {
    return Rotation.apply(
        rows, angles.cos(), angles.sin(), heads, 2 * frequencies.length, graph.kernelMode());
  }

  private SDVariable partlyRotated(SDVariable rows, Angles angles, int heads, Graph graph) {
    int size = 2 * frequencies.length;
    SDVariable each = rows.reshape(-1, headSize);
    SDVariable first = each.get(SDIndex.all(), SDIndex.interval(0, size));
    SDVariable rest = each.get(SDIndex.all(), SDIndex.interval(size, headSize));
    SDVariable turned = rotated(first.reshape(-1, (long) heads * size), angles, heads, graph);
    return graph
        .sd()
        .concat(1, turned.reshape(-1, size), rest)
        .reshape(-1, (long) heads * headSize);
  }

  /** The angles are the same for all blocks, so they are computed once per stream. */
  private Angles angles(Graph graph, TokenStream x) {
    SDVariable each =
        graph.sd().constant(Nd4j.createFromArray(frequencies).castTo(type).reshape(1, -1));
    SDVariable radians = x.values(positionIds).castTo(type).reshape(-1, 1).mul(each);
    return new Angles(
        scaled(graph.sd().math().cos(radians)), scaled(graph.sd().math().sin(radians)));
  }

  private SDVariable scaled(SDVariable x) {
    return factor == 1 ? x : x.mul(factor);
  }
}
