package org.tokentune.nn.internal;

import java.util.HashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.Rotation;

/**
 * Rotary positions (Su et al., 2021): rotates every head of a query or key by its token's position
 * times the frequencies.
 */
public final class Rotary {

  /** Cosines and sines, [n, head size / 2] each. */
  private record Angles(SDVariable cos, SDVariable sin) {}

  private final SDVariable positionIds;
  private final float[] frequencies;
  private final double factor;
  private final DataType type;
  private final Map<String, Angles> done = new HashMap<>();

  /**
   * @param positionIds INT32 [batch, length]
   * @param frequencies radians per position, [head size / 2]
   * @param factor of the rotated queries and keys
   * @param type the model's data type
   */
  public Rotary(SDVariable positionIds, float[] frequencies, double factor, DataType type) {
    this.positionIds = positionIds;
    this.frequencies = frequencies.clone();
    this.factor = factor;
    this.type = type;
  }

  /** Rotates the result of a projection [n, in] to [n, heads * head size]. */
  public NetworkLayer after(NetworkLayer projection) {
    return (graph, x) -> {
      TokenStream rows = projection.apply(graph, x);
      int headSize = 2 * frequencies.length;
      int heads = (int) rows.width() / headSize;
      Angles angles = done.computeIfAbsent(x.rowIds().name(), name -> angles(graph, x));
      return rows.with(
          Rotation.apply(
              rows.rows(), angles.cos(), angles.sin(), heads, headSize, graph.kernelMode()));
    };
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
