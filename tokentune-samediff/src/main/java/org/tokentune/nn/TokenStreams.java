package org.tokentune.nn;

import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * The two streams of a batch's tokens.
 *
 * @param selected tokens through which gradients flow
 * @param frozen the others, forward only; null where there are none (all tokens selected, or nobody
 *     reads them)
 */
public record TokenStreams(TokenStream selected, TokenStream frozen) {

  /** Applies a layer to each stream. */
  public TokenStreams map(UnaryOperator<TokenStream> layer) {
    return new TokenStreams(layer.apply(selected), frozen == null ? null : layer.apply(frozen));
  }

  /** Joins each stream with that of {@code other}; without a frozen one if that has none. */
  public TokenStreams map(TokenStreams other, BinaryOperator<TokenStream> joined) {
    return new TokenStreams(
        joined.apply(selected, other.selected),
        other.frozen == null ? null : joined.apply(frozen, other.frozen));
  }
}
