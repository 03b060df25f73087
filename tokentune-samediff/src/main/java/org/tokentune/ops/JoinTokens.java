package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.FusedJoinTokens;
import org.tokentune.ops.internal.SelectedRows;

/**
 * Joins the rows of the two token streams: sequence by sequence, selected rows first, then frozen
 * ones. Gradient: only to the selected rows.
 *
 * <p>Native form: {@code concat} of the sequences, the frozen ones detached. Fused form: {@link
 * FusedJoinTokens} and {@link SelectedRows}. Source: TokenTune (Simoulin et al., EMNLP 2024).
 */
public final class JoinTokens {

  private JoinTokens() {}

  /**
   * {@code selected} [b*k, h] and {@code frozen} [b*(L-k), h] to [b*L, h].
   *
   * @param positions [b, k], any integers: only their shape is read
   */
  public static SDVariable apply(
      SDVariable selected, SDVariable frozen, SDVariable positions, KernelMode kernelMode) {
    required(selected, "selected");
    required(frozen, "frozen");
    required(positions, "positions");
    required(kernelMode, "kernelMode");

    SameDiff sd = selected.getSameDiff();
    SDVariable detached = Detach.apply(frozen);
    if (kernelMode == KernelMode.FUSED) {
      return new FusedJoinTokens(sd, selected, detached, positions).outputVariable();
    }
    SDVariable batch = sd.shape(positions).get(SDIndex.interval(0, 1));
    SDVariable rest = sd.constant(Nd4j.createFromArray(new long[] {-1}));
    SDVariable width = sd.sizeAt(selected, 1).castTo(DataType.INT64).reshape(1);
    SDVariable bySequence = sd.concat(0, batch, rest, width);
    SDVariable all =
        sd.concat(1, sd.reshape(selected, bySequence), sd.reshape(detached, bySequence));
    return sd.reshape(all, sd.concat(0, rest, width));
  }
}
