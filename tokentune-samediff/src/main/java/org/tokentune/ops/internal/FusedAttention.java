package org.tokentune.ops.internal;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scaled dot-product attention as one node that never stores a value for each pair of query and
 * key: to (contexts [b*q, heads * size], row statistics [b, heads, q, 2]). The gradient, {@link
 * FusedAttentionGrad}, computes the weights again, and reaches selected keys and values only.
 *
 * <p>Inputs, in this order: queries [b*q, heads * size]; selected keys and values [b*k,
 * keyValueHeads * size]; the lowest and the highest place that each query sees, INT32 [b, q]; the
 * places of the selected keys, INT32 [b, k], -1 for padding; if there are frozen tokens, their keys
 * and values [b*f, keyValueHeads * size] and places [b, f]; with dropout, the numbers of rows [b,
 * heads, q, 1] and columns [b, 1, 1, k + f], and the seed, as in {@link FusedDropout}.
 */
public final class FusedAttention extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@link #apply}. */
  public FusedAttention() {}

  private FusedAttention(SameDiff sd, List<SDVariable> inputs) {
    super(sd, inputs.toArray(SDVariable[]::new));
  }

  /**
   * What attention computes, apart from its tokens.
   *
   * @param softCap of the scaled scores; 0 for none
   */
  public record Settings(int heads, int keyValueHeads, double scale, double softCap) {}

  /**
   * Keys and values of one stream.
   *
   * @param places INT32 [b, count], -1 for padding
   */
  public record Keys(SDVariable keys, SDVariable values, SDVariable places) {}

  /**
   * Dropout of the weights, as in {@link FusedDropout}.
   *
   * @param place identifies the place in the model
   */
  public record WeightDropout(
      SDVariable rows, SDVariable columns, SDVariable seed, double rate, int place) {}

  /**
   * The contexts.
   *
   * @param first the lowest place that each query sees
   * @param last the highest place that each query sees
   * @param frozen null if there are no frozen tokens
   * @param dropout null for none
   */
  public static SDVariable apply(
      Settings settings,
      SDVariable queries,
      SDVariable first,
      SDVariable last,
      Keys selected,
      Keys frozen,
      WeightDropout dropout) {
    List<SDVariable> inputs =
        new ArrayList<>(
            List.of(queries, selected.keys, selected.values, first, last, selected.places));
    if (frozen != null) {
      inputs.addAll(List.of(frozen.keys, frozen.values, frozen.places));
    }
    if (dropout != null) {
      inputs.addAll(List.of(dropout.rows, dropout.columns, dropout.seed));
    }
    FusedAttention op = new FusedAttention(queries.getSameDiff(), inputs);
    op.addIArgument(
        settings.heads,
        settings.keyValueHeads,
        frozen == null ? 0 : 1,
        dropout == null ? 0 : 1,
        dropout == null ? 0 : dropout.place);
    op.addTArgument(settings.scale, settings.softCap, dropout == null ? 0 : dropout.rate);
    return op.outputVariables()[0];
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
    long[] queries = inputs.get(3);
    return List.of(inputs.get(0), new long[] {queries[0], getIArgument(0), queries[1], 2});
  }

  @Override
  public boolean hasProducts() {
    return true;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    run(inputs, outputs, false);
  }

  @Override
  public void runProducts(List<INDArray> inputs, List<INDArray> outputs) {
    run(inputs, outputs, true);
  }

  private void run(List<INDArray> inputs, List<INDArray> outputs, boolean productsOnly) {
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
