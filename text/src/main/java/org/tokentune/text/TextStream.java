package org.tokentune.text;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.tokentune.datasets.TextTokenizer;

/**
 * The text of tokens that come one after the other. A character whose bytes are several tokens
 * comes with its last one.
 */
final class TextStream {

  /** What a decoder writes for bytes that are no whole character. */
  private static final char REPLACEMENT = '\uFFFD';

  /** Tokens after which bytes that are no character are given up waiting for: UTF-8 has 4. */
  private static final int MOST_WAITING = 8;

  private final TextTokenizer tokenizer;

  /** Some tokens whose text was given, then those whose was not yet. */
  private int[] ids;

  private int given;

  /**
   * A stream behind a text.
   *
   * @param context tokens before it, whose text is not given
   */
  TextStream(TextTokenizer tokenizer, int... context) {
    this.tokenizer = tokenizer;
    ids = context.clone();
    given = ids.length;
  }

  /** The text that a token adds; empty while a character is not whole. */
  String next(int id) {
    ids = Arrays.copyOf(ids, ids.length + 1);
    ids[ids.length - 1] = id;
    String text = added();
    boolean waits = !text.isEmpty() && text.charAt(text.length() - 1) == REPLACEMENT;
    return waits && ids.length - given < MOST_WAITING ? "" : give(text);
  }

  /** What is left at the end: bytes of a character that never became whole. */
  String end() {
    return give(added());
  }

  private String added() {
    return added(tokenizer, Arrays.copyOf(ids, given), Arrays.copyOfRange(ids, given, ids.length));
  }

  /**
   * The text that tokens add to others. Whether a token's text begins with a space, say, depends on
   * there being one before it: so both texts are decoded with the tokens of the text before.
   */
  static String added(TextTokenizer tokenizer, int[] context, int[] tokens) {
    String before = tokenizer.decode(context);
    String all =
        tokenizer.decode(IntStream.concat(Arrays.stream(context), Arrays.stream(tokens)).toArray());
    return all.startsWith(before) ? all.substring(before.length()) : all;
  }

  private String give(String text) {
    if (!text.isEmpty()) {
      ids = Arrays.copyOfRange(ids, given, ids.length);
      given = ids.length;
    }
    return text;
  }
}
