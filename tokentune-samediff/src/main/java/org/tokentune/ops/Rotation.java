package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.tokentune.ops.internal.FusedRotation;

/**
 * Rotary positions (Su et al., 2021) as in Hugging Face's Llama: element i of a head's first half
 * and element i of its second half form a point (a, b), which is rotated by angle i of its row,
 * {@code (a cos - b sin, b cos + a sin)}.
 *
 * <p>Shapes: {@code x} [rows, heads * d], {@code cos} and {@code sin} [rows, d / 2]; the result has
 * the shape of {@code x}.
 *
 * <p>Gradient: the upstream gradient rotated back, which does not need {@code x}; none for the
 * angles, which are data. Native form: a composition over {@code split} and {@code concat}.
 * SameDiff differentiates it. Fused form: {@link FusedRotation}, forward and backward.
 */
public final class Rotation {

  private Rotation() {}

  /**
   * Rotates rows.
   *
   * @param headSize d, even
   */
  public static SDVariable apply(
      SDVariable x,
      SDVariable cos,
      SDVariable sin,
      int heads,
      int headSize,
      KernelMode kernelMode) {
    required(x, "x");
    required(cos, "cos");
    required(sin, "sin");
    required(kernelMode, "kernelMode");

    SameDiff sd = x.getSameDiff();
    if (kernelMode == KernelMode.FUSED) {
      Ops.register();
      return new FusedRotation(sd, x, cos, sin, false).outputVariable();
    }
    SDVariable c = cos.reshape(-1, 1, headSize / 2);
    SDVariable s = sin.reshape(-1, 1, headSize / 2);
    SDVariable[] halves = sd.split(x.reshape(-1, heads, headSize), 2, 2);
    SDVariable first = halves[0].mul(c).sub(halves[1].mul(s));
    SDVariable second = halves[1].mul(c).add(halves[0].mul(s));
    return sd.concat(2, first, second).reshape(-1, (long) heads * headSize);
  }
}
