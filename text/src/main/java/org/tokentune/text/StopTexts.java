package org.tokentune.text;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.generate.StopCondition;

/**
 * Ends a text before the first of some texts that comes in it. What could be the beginning of one
 * is held back until it is known.
 */
final class StopTexts {

  /** UTF-8 has 4 bytes, each of which may be a token. */
  private static final int TOKENS_PER_CHARACTER = 4;

  /** Tokens before those that are looked at: the text of a token may depend on them. */
  private static final int CONTEXT = 8;

  private final List<String> stops;
  private final Consumer<String> listener;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  /**
   * @param listener gets the text, piece by piece
   */
  StopTexts(List<String> stops, Consumer<String> listener) {
    this.stops = stops;
    this.listener = listener;
  }

  /** Adds a piece of the text. */
  void add(String piece) {
    if (found) {
      return;
    }
    held.append(piece);
    int end = stops.stream().mapToInt(held::indexOf).filter(i -> i >= 0).min().orElse(-1);
    found = end >= 0;
    give(found ? end : held.length() - beginning());
  }

  /** The length of the longest end of the text that a stop begins with. */
  private int beginning() {
    int longest = stops.stream().mapToInt(String::length).max().orElse(1) - 1;
    for (int length = Math.min(longest, held.length()); length > 0; length--) {
      String end = held.substring(held.length() - length);
      if (stops.stream().anyMatch(stop -> stop.startsWith(end))) {
        return length;
      }
    }
    return 0;
  }

  private void give(int length) {
    listener.accept(held.substring(0, length));
    held.delete(0, length);
  }

  /** No more text comes. */
  void end() {
    if (!found) {
      give(held.length());
    }
  }

  /** Whether a text has one of these in it; only the last tokens are decoded. */
  static StopCondition condition(TextTokenizer tokenizer, List<String> stops) {
    if (stops.isEmpty()) {
      return StopCondition.NONE;
    }
    int longest = stops.stream().mapToInt(String::length).max().orElseThrow();
    int most = CONTEXT + TOKENS_PER_CHARACTER * longest;
    return (prompt, ids) -> {
      int[] looked = last(ids, most);
      int[] before = last(prompt, CONTEXT);
      if (looked.length < ids.length) {
        int[] earlier = Arrays.copyOf(ids, ids.length - most);
        before = last(earlier, CONTEXT);
      }
      String text = TextStream.added(tokenizer, before, looked);
      return stops.stream().anyMatch(text::contains);
    };
  }

  private static int[] last(int[] ids, int most) {
    return Arrays.copyOfRange(ids, Math.max(0, ids.length - most), ids.length);
  }
}
