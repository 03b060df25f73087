package org.tokentune;

import java.util.Locale;
import java.util.Set;

/**
 * Makes text from untrusted files safe to print: characters that move a terminal's cursor, change
 * the text direction or start a line are replaced by their JSON escapes.
 */
public final class Printable {

  /** Longest message in characters; a longer one quotes long values and is cut. */
  private static final int MAX_MESSAGE = 2000;

  /** Control characters, line and paragraph separators, unpaired surrogates. */
  private static final Set<Byte> UNPRINTED =
      Set.of(
          Character.CONTROL,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE);

  private Printable() {}

  /** Escapes everything that would leave the current line or column. */
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

  /** The same, but keeps line breaks and tabs. */
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

  /** A message on one line, cut if it is very long. */
  static String message(String text) {
    return text.length() > MAX_MESSAGE ? line(text.substring(0, MAX_MESSAGE)) + "..." : line(text);
  }

  private static void append(StringBuilder text, int c) {
    if (UNPRINTED.contains((byte) Character.getType(c)) || isDirection(c)) {
      text.append(String.format(Locale.ROOT, "\\u%04x", c));
    } else {
      text.appendCodePoint(c);
    }
  }

  /** Whether a character changes the direction of the text after it. */
  private static boolean isDirection(int c) {
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  }
}
