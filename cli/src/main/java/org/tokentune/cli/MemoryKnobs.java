package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.tokentune.models.WeightStorage;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.train.MemorySettings;
import picocli.CommandLine.Option;

/** Options that trade time or exactness for memory. */
final class MemoryKnobs {

  @Option(
      names = "--weights",
      paramLabel = "float32|bf16|f16|int8|nf4|file",
      description = {
        "How matrices that do not train are held, with --lora or --trainable head: in 32, 16, 8 or 4",
        "bits (nf4: linear layers in 4, tables in 16: QLoRA), or as the file has them (a .gguf's",
        "F16, BF16, Q8_0, Q4_K, Q6_K). Computed in 32-bit floats. Default float32."
      })
  private WeightStorage weights = WeightStorage.FLOAT32;

  @Option(
      names = "--checkpoint",
      paramLabel = "WHAT",
      defaultValue = "elementwise",
      description = {
        "Values that the backward pass recomputes instead of keeping them: nothing; elementwise: the",
        "cheap ones (norms, GELU, dropout); attention: also its weights; blocks: whole layers.",
        "Default ${DEFAULT-VALUE}."
      })
  private ActivationCheckpointing checkpoint;

  @Option(
      names = "--activations",
      paramLabel = "float32|bf16|f16",
      defaultValue = "float32",
      description = {
        "How activations are kept for the backward pass: as they are, or rounded to 16 bits, 8 (bf16)",
        "or 11 (f16) of them significant, which changes gradients a little and the loss not at all.",
        "Default ${DEFAULT-VALUE}."
      })
  private ActivationPrecision activations;

  String kept() {
    return activations.toString();
  }

  WeightStorage weights() {
    return weights;
  }

  /**
   * Settings for the memory of a step.
   *
   * @param budget bytes, or 0
   */
  MemorySettings settings(long budget) {
    return new MemorySettings(checkpoint, activations, budget);
  }

  void put(ObjectNode result) {
    result
        .put("weights", weights.toString())
        .put("checkpoint", checkpoint.toString())
        .put("activations", activations.toString());
  }

  /** For a table's title. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "weights %s, checkpoint %s, activations %s", weights, checkpoint, activations);
  }
}
