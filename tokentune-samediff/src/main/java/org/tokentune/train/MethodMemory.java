package org.tokentune.train;

/**
 * The memory that a method needs, in bytes.
 *
 * @param weights of all parameters, adapters included
 * @param gradients of trained parameters that are live at the peak
 * @param optimizerState the optimizer's state between steps
 * @param step the rest of a step's peak: activations, workspace, inputs and gaps
 */
public record MethodMemory(
    TuningMethod method, long weights, long gradients, long optimizerState, long step) {

  /** The sum. */
  public long total() {
    return weights + gradients + optimizerState + step;
  }
}
