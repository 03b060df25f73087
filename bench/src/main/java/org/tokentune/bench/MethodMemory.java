package org.tokentune.bench;

/**
 * The memory that a method needs, in bytes.
 *
<<<<<<< HEAD:bench/src/main/java/org/tokentune/bench/MethodMemory.java
 * @param weights all parameters, including adapters
 * @param gradients gradients of trained parameters held at the peak
=======
 * @param weights of all parameters, adapters included
 * @param gradients of trained parameters that are live at the peak
>>>>>>> hd:tokentune-samediff/src/main/java/org/tokentune/train/MethodMemory.java
 * @param optimizerState the optimizer's state between steps
 * @param step the rest of a step's peak: activations, workspace, inputs and gaps
 */
public record MethodMemory(
    TuningMethod method, long weights, long gradients, long optimizerState, long step) {

<<<<<<< HEAD:bench/src/main/java/org/tokentune/bench/MethodMemory.java
  /** The sum of all parts. */
=======
  /** The sum. */
>>>>>>> hd:tokentune-samediff/src/main/java/org/tokentune/train/MethodMemory.java
  public long total() {
    return weights + gradients + optimizerState + step;
  }
}
