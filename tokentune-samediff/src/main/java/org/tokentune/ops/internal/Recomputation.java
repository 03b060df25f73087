package org.tokentune.ops.internal;

/** What may be recomputed in the backward pass instead of being stored, other than whole blocks. */
public enum Recomputation {
  /** Nothing on its own. */
  NONE,
  /** The result: one cheap pass over the inputs. */
  ELEMENTWISE,
  /** The result, attention weights, and the scores it is computed from, the first input. */
  ATTENTION_WEIGHTS,
  /** The result, which joins selected tokens, the first input, and frozen ones, the second. */
  JOINED_TOKENS,
  /** The first input: the logits of a slice of the vocabulary. */
  SLICED_LOGITS
}
