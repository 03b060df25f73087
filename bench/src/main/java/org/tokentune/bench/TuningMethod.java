package org.tokentune.bench;

import java.util.ArrayList;
import java.util.List;
import org.tokentune.models.WeightStorage;
import org.tokentune.plan.ActivationCheckpointing;

/**
 * A fine-tuning method.
 *
 * @param adapters whether low-rank adapters are trained instead of the weights
 * @param weights storage of frozen weights
 * @param selected whether only selected tokens have gradients (TokenTune)
 * @param checkpointing what is recomputed; {@link ActivationCheckpointing#BLOCKS} is what is
 *     usually called gradient checkpointing
 */
public record TuningMethod(
    boolean adapters,
    WeightStorage weights,
    boolean selected,
    ActivationCheckpointing checkpointing) {

  /** Trains all weights. */
  public static final TuningMethod FULL =
      new TuningMethod(false, WeightStorage.FLOAT32, false, ActivationCheckpointing.ELEMENTWISE);

  /**
   * Full fine-tuning, LoRA and QLoRA, each alone, with selected tokens, with checkpointing, and
   * with both.
   *
   * @param frozen storage of LoRA's base
   */
  public static List<TuningMethod> all(WeightStorage frozen) {
    List<TuningMethod> methods = new ArrayList<>();
    for (TuningMethod base :
        List.of(
            FULL,
            new TuningMethod(true, frozen, false, ActivationCheckpointing.ELEMENTWISE),
            new TuningMethod(
                true, WeightStorage.NF4, false, ActivationCheckpointing.ELEMENTWISE))) {
      for (ActivationCheckpointing checkpointing :
          List.of(ActivationCheckpointing.ELEMENTWISE, ActivationCheckpointing.BLOCKS)) {
        methods.add(base.with(false, checkpointing));
        methods.add(base.with(true, checkpointing));
      }
    }
    return methods;
  }

  /** A copy with another selection and level of activation checkpointing. */
  public TuningMethod with(boolean otherSelected, ActivationCheckpointing otherCheckpointing) {
    return new TuningMethod(adapters, weights, otherSelected, otherCheckpointing);
  }

  /** E.g. {@code TokenTune + QLoRA, checkpointed}. */
  @Override
  public String toString() {
    String trained = adapters ? weights == WeightStorage.NF4 ? "QLoRA" : "LoRA" : "full";
    String tokens = selected ? adapters ? "TokenTune + " + trained : "TokenTune" : trained;
    return switch (checkpointing) {
      case BLOCKS -> tokens + ", checkpointed";
      case ATTENTION -> tokens + ", attention recomputed";
      default -> tokens;
    };
  }
}
