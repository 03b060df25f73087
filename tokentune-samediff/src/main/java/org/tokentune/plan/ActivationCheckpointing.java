package org.tokentune.plan;

/**
 * What may be computed again in the backward pass instead of being kept; each includes the ones
 * before.
 */
public enum ActivationCheckpointing {
  /** Nothing. */
  NOTHING,
  /** What one cheap pass over kept values gives again: normalised rows with gain and bias, GELU. */
  ELEMENTWISE,
  /** Attention weights from queries and keys, and what is joined of the two streams. */
  ATTENTION,
  /** All but the named checkpoints: whole blocks (Chen et al., 2016). */
  BLOCKS
}
