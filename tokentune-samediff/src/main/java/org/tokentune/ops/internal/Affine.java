package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;

/**
 * Applies a gain and optionally a bias to every column, the second half of {@code LayerNormOps} and
 * {@code RmsNormOps}: (rows [n, h], gain [h]) or (rows [n, h], gain [h], bias [h]) to {@code rows *
 * gain + bias}, in place.
 *
 * <p>Gradient: {@link AffineGrad}, or {@link AffineScale} if neither is trained, which does not
 * store the rows.
 */
public final class Affine extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code LayerNormOps.apply}. */
  public Affine() {}

  public Affine(SameDiff sd, SDVariable... inputs) {
    super(sd, inputs);
  }

  @Override
  public String opName() {
    return "fused_affine";
  }

  @Override
  public String resultName() {
    return "scaled and shifted rows";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    compute(inputs, outputs);
  }

  static void compute(List<INDArray> inputs, List<INDArray> outputs) {
    int width = (int) inputs.get(1).length();
    float[] gain = Memory.floatValues(inputs.get(1));
    // Adding 0 without a bias costs nothing: the loop is memory-bound.
    float[] bias = inputs.size() > 2 ? Memory.floatValues(inputs.get(2)) : new float[width];
    RowKernel.over(inputs.get(0))
        .update(inputs.get(0), outputs.get(0))
        .run((arrays, row, length) -> apply(arrays[0], gain, bias, length));
  }

  private static void apply(float[] row, float[] gain, float[] bias, int width) {
    for (int i = 0; i < width; i++) {
      row[i] = row[i] * gain[i] + bias[i];
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable dY = gradients.get(0);
    boolean biased = args().length > 2;
    if (trained(arg(1)) || (biased && trained(arg(2)))) {
      return List.of(new AffineGrad(sameDiff, dY, arg(0), arg(1), biased).outputVariables());
    }
    return List.of(new AffineScale(sameDiff, dY, arg(1)).outputVariable());
  }
}
