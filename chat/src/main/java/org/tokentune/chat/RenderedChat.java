package org.tokentune.chat;

import java.util.List;
import java.util.Objects;

/**
 * A conversation as text.
 *
 * @param text what the template wrote
 * @param generated where the texts of {@code {% generation %}} blocks lie in it, in order
 */
public record RenderedChat(String text, List<Span> generated) {

  /**
   * A part of the text.
   *
   * @param start its first code point
   * @param end the code point after its last
   */
  public record Span(int start, int end) {}

  /** Copies the list. */
  public RenderedChat {
    Objects.requireNonNull(text, "text");
    generated = List.copyOf(Objects.requireNonNull(generated, "generated"));
  }
}
