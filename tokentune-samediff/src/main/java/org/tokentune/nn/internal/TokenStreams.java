package org.tokentune.nn.internal;

import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * The two streams of a batch's tokens.
 *
 * @param selected tokens through which gradients flow
 * @param frozen the other tokens, forward only; null if there are none (all tokens are selected, or
 *     nothing reads the others)
 */
public record TokenStreams(TokenStream selected, TokenStream frozen) {

  /** Applies a layer to each stream. */
  public TokenStreams map(UnaryOperator<TokenStream> layer) {
    return new TokenStreams(layer.apply(selected), frozen == null ? null : layer.apply(frozen));
  }

  /**
   * Combines each stream with that of {@code other}; without a frozen stream if {@code other} has
   * none.
   */
  public TokenStreams map(TokenStreams other, BinaryOperator<TokenStream> joined) {
    return new TokenStreams(
        joined.apply(selected, other.selected),
        other.frozen == null ? null : joined.apply(frozen, other.frozen));
  }
}
