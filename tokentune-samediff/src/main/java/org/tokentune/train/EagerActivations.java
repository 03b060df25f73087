package org.tokentune.train;

import org.tokentune.models.LlamaConfig;

/**
 * What PyTorch keeps for the backward pass of a Llama in transformers 4.36.0's eager attention,
 * with BF16 weights: measured by counting the tensors that its autograd saves (2 and 3 layers,
 * three shapes), from which these coefficients follow exactly.
 */
public final class EagerActivations {

  private EagerActivations() {}

  /**
   * In bytes.
   *
   * @throws IllegalArgumentException if keys and values are shared by heads, which was not measured
   */
  public static long bytes(LlamaConfig config, long batch, long length) {
    if (config.heads() != config.keyValueHeads()) {
      throw new IllegalArgumentException("grouped keys and values were not measured");
    }
    long rows = batch * length;
    long hidden = config.hidden();
    // norms and projections; gate, its SiLU, up and their product
    long ofRows = rows * (24 * hidden + 8L * config.intermediate() + 4L * config.headSize() + 8);
    // weights in float for the softmax, in BF16 for the product
    long ofWeights = 6 * batch * config.heads() * length * length;
    // the last norm, and the log-softmax in float
    long ofHead = rows * (8 * hidden + 4L * config.vocabulary());
    return config.layers() * (ofRows + ofWeights) + ofHead;
  }
}
