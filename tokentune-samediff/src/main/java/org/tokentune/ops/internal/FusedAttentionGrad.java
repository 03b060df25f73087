package org.tokentune.ops.internal;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gradient of {@link FusedAttention}: its inputs, then the row statistics and the gradient of the
 * contexts, to the gradients of queries, selected keys, selected values, and the table of the
 * distances' scores, if there is one.
 */
public final class FusedAttentionGrad extends FusedProducts {

  /** For SameDiff, which creates ops by reflection. */
  public FusedAttentionGrad() {}

  private FusedAttentionGrad(SameDiff sd, List<SDVariable> inputs) {
    super(sd, inputs);
  }

  static List<SDVariable> of(FusedAttention op, SDVariable dContext, SDVariable rowStatistics) {
    List<SDVariable> inputs = new ArrayList<>(List.of(op.args()));
    inputs.add(rowStatistics);
    inputs.add(dContext);
    FusedAttentionGrad gradient = new FusedAttentionGrad(dContext.getSameDiff(), inputs);
    gradient.addIArgument(op.iArgs());
    gradient.addTArgument(op.tArgs());
    return List.of(gradient.outputVariables());
  }

  @Override
  public String opName() {
    return "fused_attention_grad";
  }

  @Override
  public int getNumOutputs() {
    return getIArgument(5) == 1 ? 4 : 3;
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return inputs.subList(0, getNumOutputs());
  }

  @Override
  void run(List<INDArray> inputs, List<INDArray> outputs, boolean productsOnly) {
    AttentionInputs given = AttentionInputs.of(inputs, iArgs(), tArgs());
    given
        .kernel(productsOnly)
        .backward(
            given.queries(),
            given.keys(),
            given.values(),
            inputs.get(inputs.size() - 2),
            inputs.get(inputs.size() - 1),
            outputs.get(0),
            outputs.get(1),
            outputs.get(2),
            outputs.size() == 4 ? outputs.get(3) : null);
  }
}
