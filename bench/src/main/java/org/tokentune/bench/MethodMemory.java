package org.tokentune.bench;

/**
 * What a method needs, in bytes.
 *
 * @param weights of all parameters, adapters included
 * @param gradients of trained parameters that are held at the peak
 * @param optimizerState what the optimizer keeps between steps
 * @param step the rest of a step's peak: activations, workspace, inputs and gaps
 */
public record MethodMemory(
    TuningMethod method, long weights, long gradients, long optimizerState, long step) {

  /** All of it. */
  public long total() {
    return weights + gradients + optimizerState + step;
  }
}
