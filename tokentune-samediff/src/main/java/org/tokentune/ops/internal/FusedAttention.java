package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scaled dot-product attention as one node that never stores a value for each pair of query and
 * key: to (contexts [b*q, heads * size], row statistics [b, heads, q, 2]). The gradient, {@link
 * FusedAttentionGrad}, computes the weights again, and reaches selected keys and values, and scores
 * of distances.
 *
 * <p>Inputs, in this order: queries [b*q, heads * size]; selected keys and values [b*k,
 * keyValueHeads * size]; with scores of distances, their table [kinds, heads], the kinds of
 * distances, INT32 [1, 2 * length - 1], and the places of the queries, INT32 [b, q]; the lowest and
 * the highest place that each query sees, INT32 [b, q]; the places of the selected keys, INT32 [b,
 * k], -1 for padding; if there are frozen tokens, their keys and values [b*f, keyValueHeads * size]
 * and places [b, f]; with dropout, the numbers of rows [b, heads, q, 1] and columns [b, 1, 1, k +
 * f], and the seed, as in {@link FusedDropout}.
 */
public final class FusedAttention extends FusedProducts {

  /** For SameDiff, which creates ops by reflection; use {@code TiledAttention.apply}. */
  public FusedAttention() {}

  /**
   * @param inputs as above
   * @param sizes heads, keyValueHeads, whether there are frozen tokens, whether there is dropout,
   *     its place, and whether there are scores of distances
   * @param factors the scale, the soft cap and the rate of dropout
   */
  public FusedAttention(List<SDVariable> inputs, int[] sizes, double[] factors) {
    super(inputs.get(0).getSameDiff(), inputs);
    addIArgument(sizes);
    addTArgument(factors);
  }

  @Override
  public String opName() {
    return "fused_attention";
  }

  @Override
  public String resultName() {
    return "contexts";
  }

  @Override
  public int getNumOutputs() {
    return 2;
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] queries = inputs.get(getIArgument(5) == 1 ? 5 : 3);
    return List.of(inputs.get(0), new long[] {queries[0], getIArgument(0), queries[1], 2});
  }

  @Override
  void run(List<INDArray> inputs, List<INDArray> outputs, boolean productsOnly) {
    AttentionInputs given = AttentionInputs.of(inputs, iArgs(), tArgs());
    given
        .kernel(productsOnly)
        .forward(given.queries(), given.keys(), given.values(), outputs.get(0), outputs.get(1));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return FusedAttentionGrad.of(this, gradients.get(0), outputVariables()[1]);
  }
}
