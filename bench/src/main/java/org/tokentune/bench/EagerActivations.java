package org.tokentune.bench;

import java.util.OptionalLong;
import org.tokentune.models.LlamaConfig;
import org.tokentune.models.ModelConfig;

/**
<<<<<<< HEAD:bench/src/main/java/org/tokentune/bench/EagerActivations.java
 * Activations that PyTorch stores for the backward pass of a Llama with BF16 weights and eager
 * attention in transformers 4.36.0. The coefficients follow exactly from the tensors that its
 * autograd saved in models with 2 and 3 layers and three shapes.
=======
 * The activations that PyTorch stores for the backward pass of a Llama with the eager attention of
 * transformers 4.36.0 and BF16 weights. The coefficients follow exactly from counting the tensors
 * that its autograd saves (2 and 3 layers, three shapes).
>>>>>>> hd:tokentune-samediff/src/main/java/org/tokentune/train/EagerActivations.java
 */
public final class EagerActivations {

  private EagerActivations() {}

  /**
<<<<<<< HEAD:bench/src/main/java/org/tokentune/bench/EagerActivations.java
   * Bytes in full fine-tuning on {@code batch} rows of {@code length} tokens; empty if not
   * measured: for other models, and if heads share keys and values.
=======
   * The bytes for full fine-tuning on {@code batch} rows of {@code length} tokens. Empty if they
   * were not measured: for other models, and if heads share keys and values.
>>>>>>> hd:tokentune-samediff/src/main/java/org/tokentune/train/EagerActivations.java
   */
  public static OptionalLong bytes(ModelConfig model, long batch, long length) {
    if (!(model instanceof LlamaConfig config) || config.heads() != config.keyValueHeads()) {
      return OptionalLong.empty();
    }
    long rows = batch * length;
    long hidden = config.hidden();
    // norms and projections; gate, its SiLU, up and their product
    long ofRows = rows * (24 * hidden + 8L * config.intermediate() + 4L * config.headSize() + 8);
    // weights in float for the softmax, in BF16 for the product
    long ofWeights = 6 * batch * config.heads() * length * length;
    // the last norm, and the log-softmax in float
    long ofHead = rows * (8 * hidden + 4L * config.vocabulary());
    return OptionalLong.of(config.layers() * (ofRows + ofWeights) + ofHead);
  }
}
