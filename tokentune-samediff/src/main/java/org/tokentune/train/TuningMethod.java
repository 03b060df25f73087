package org.tokentune.train;

import java.util.ArrayList;
import java.util.List;
import org.tokentune.models.WeightStorage;
import org.tokentune.plan.Recompute;

/**
 * A way to fine-tune.
 *
 * @param adapters whether low-rank adapters train, and not the weights
 * @param weights how weights that do not train are held
 * @param selected whether gradients go through selected tokens only (TokenTune)
 * @param recompute what is computed again; {@link Recompute#BLOCKS} is gradient checkpointing
 */
public record TuningMethod(
    boolean adapters, WeightStorage weights, boolean selected, Recompute recompute) {

  /** All weights train. */
  public static final TuningMethod FULL =
      new TuningMethod(false, WeightStorage.FLOAT32, false, Recompute.ELEMENTWISE);

  /**
   * Full fine-tuning, LoRA and QLoRA, each alone, with selected tokens, with checkpointing, and
   * with both.
   *
   * @param frozen how LoRA's base is held
   */
  public static List<TuningMethod> all(WeightStorage frozen) {
    List<TuningMethod> methods = new ArrayList<>();
    for (TuningMethod base :
        List.of(
            FULL,
            new TuningMethod(true, frozen, false, Recompute.ELEMENTWISE),
            new TuningMethod(true, WeightStorage.NF4, false, Recompute.ELEMENTWISE))) {
      for (Recompute recompute : List.of(Recompute.ELEMENTWISE, Recompute.BLOCKS)) {
        methods.add(base.with(false, recompute));
        methods.add(base.with(true, recompute));
      }
    }
    return methods;
  }

  /** The same with other tokens and another recomputation. */
  public TuningMethod with(boolean otherSelected, Recompute otherRecompute) {
    return new TuningMethod(adapters, weights, otherSelected, otherRecompute);
  }

  /** E.g. {@code TokenTune + QLoRA, checkpointed}. */
  @Override
  public String toString() {
    String trained = adapters ? weights == WeightStorage.NF4 ? "QLoRA" : "LoRA" : "full";
    String tokens = selected ? adapters ? "TokenTune + " + trained : "TokenTune" : trained;
    return switch (recompute) {
      case BLOCKS -> tokens + ", checkpointed";
      case ATTENTION -> tokens + ", attention again";
      default -> tokens;
    };
  }
}
