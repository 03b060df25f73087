package org.tokentune;

import java.util.Locale;
import java.util.Set;

/**
 * Texts that may come from a file, fit to be printed: in place of characters that move a terminal's
 * cursor, turn its direction or begin a line their escapes stand there, as JSON has them.
 */
public final class Printable {

  /** Characters of a message; what is longer has long values in it. */
  private static final int MOST = 2000;

  /** Controls, line and paragraph separators, halves of surrogate pairs. */
  private static final Set<Byte> UNPRINTED =
      Set.of(
          Character.CONTROL,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE);

  private Printable() {}

  /** On one line, and within a column. */
  public static String line(String text) {
    StringBuilder line = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> append(line, c);
              }
            });
    return line.toString();
  }

  /** The same, but lines and tabs stay. */
  public static String lines(String text) {
    StringBuilder lines = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (c == '\n' || c == '\t') {
                lines.appendCodePoint(c);
              } else {
                append(lines, c);
              }
            });
    return lines.toString();
  }

  /** A message on one line; a very long one is cut. */
  static String message(String text) {
    return text.length() > MOST ? line(text.substring(0, MOST)) + "..." : line(text);
  }

  private static void append(StringBuilder text, int c) {
    if (UNPRINTED.contains((byte) Character.getType(c)) || isDirection(c)) {
      text.append(String.format(Locale.ROOT, "\\u%04x", c));
    } else {
      text.appendCodePoint(c);
    }
  }

  /** Whether a character turns the direction of those that come after it. */
  private static boolean isDirection(int c) {
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  }
}
