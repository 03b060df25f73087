package org.tokentune.ops.internal;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.Rows;
import org.tokentune.ops.internal.kernels.Scratch;

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
    FloatBuffer x = Memory.floats(inputs.get(0));
    FloatBuffer y = Memory.floats(outputs.get(0));
    Rows rows = Rows.of(inputs.get(0).shape());
    int width = rows.width();
    float[] gain = Memory.floatValues(inputs.get(1));
    // Adding 0 without a bias costs nothing: the loop is memory-bound.
    float[] bias = inputs.size() > 2 ? Memory.floatValues(inputs.get(2)) : new float[width];
    try {
      rows.forEachChunk(
          (chunk, from, to) -> {
            float[] row = Scratch.get().floats(0, width);
            for (int r = from; r < to; r++) {
              x.get(r * width, row, 0, width);
              apply(row, gain, bias, width);
              y.put(r * width, row, 0, width);
            }
          });
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
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
