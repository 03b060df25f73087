package org.tokentune.plan;

import java.util.Locale;

/**
 * Which activations may be recomputed in the backward pass instead of being stored; each level
 * includes the ones before it.
 */
public enum ActivationCheckpointing {
  /** Nothing. */
  NOTHING,
  /** Results of one cheap pass over stored values: normalised rows with gain and bias, GELU. */
  ELEMENTWISE,
  /** Attention weights, from queries and keys, and tokens joined from the two streams. */
  ATTENTION,
  /** Everything except the named checkpoints: whole blocks (Chen et al., 2016). */
  BLOCKS;

  /** The name in lower case, as on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
