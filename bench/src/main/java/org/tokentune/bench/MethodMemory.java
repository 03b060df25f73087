package org.tokentune.bench;

/**
 * The memory that a method needs, in bytes.
 *
 * @param weights all parameters, including adapters
 * @param gradients gradients of trained parameters held at the peak
 * @param optimizerState the optimizer's state between steps
 * @param step the rest of a step's peak: activations, workspace, inputs and gaps
 */
public record MethodMemory(
    TuningMethod method, long weights, long gradients, long optimizerState, long step) {

  /** The sum of all parts. */
  public long total() {
    return weights + gradients + optimizerState + step;
  }
}
