package org.tokentune.bench;

import java.util.OptionalLong;
import org.tokentune.models.DecoderConfig;
import org.tokentune.models.ModelConfig;

/**
 * Activations that PyTorch stores for the backward pass of a Llama with BF16 weights and eager
 * attention in transformers 4.36.0. The coefficients follow exactly from the tensors that its
 * autograd saved in models with 2 and 3 layers and three shapes.
 */
public final class EagerActivations {

  private EagerActivations() {}

  /**
   * Bytes in full fine-tuning on {@code batch} rows of {@code length} tokens; empty if not
   * measured: for other models, and if heads share keys and values.
   */
  public static OptionalLong bytes(ModelConfig model, long batch, long length) {
    if (!(model instanceof DecoderConfig config)
        || !config.family().modelType().equals("llama")
        || config.attention().heads() != config.attention().keyValueHeads()) {
      return OptionalLong.empty();
    }
    long rows = batch * length;
    long hidden = config.hidden();
    // norms and projections; gate, its SiLU, up and their product
    long ofRows =
        rows
            * (24 * hidden
                + 8L * config.mlp().intermediate()
                + 4L * config.attention().headSize()
                + 8);
    // weights in float for the softmax, in BF16 for the product
    long ofWeights = 6 * batch * config.attention().heads() * length * length;
    // the last norm, and the log-softmax in float
    long ofHead = rows * (8 * hidden + 4L * config.vocabulary());
    return OptionalLong.of(config.layers() * (ofRows + ofWeights) + ofHead);
  }
}
