package org.tokentune;

import com.google.errorprone.annotations.FormatMethod;
import java.util.Locale;
import java.util.Set;

/**
 * Something the user gave cannot be used: a file, a name, a number, a tensor's shape.
 *
 * <p>The message is one sentence (or two short ones) for a person: it names the input and says how
 * to mend it. The command line prints it without a stack trace and exits with 1.
 */
public final class BadInputException extends RuntimeException {

  /** Characters of a message; what is longer has long values in it. */
  private static final int MOST = 2000;

  /** Controls, line and paragraph separators, halves of surrogate pairs. */
  private static final Set<Byte> UNPRINTED =
      Set.of(
          Character.CONTROL,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE);

  /** Takes a {@link String#format} pattern and its arguments. */
  @FormatMethod
  public BadInputException(String message, Object... arguments) {
    super(printable(String.format(Locale.ROOT, message, arguments)));
  }

  /** As above, keeping what failed underneath. */
  @FormatMethod
  public BadInputException(Throwable cause, String message, Object... arguments) {
    super(printable(String.format(Locale.ROOT, message, arguments)), cause);
  }

  /**
   * Text that may come from a file, fit to be printed: of the characters that move a terminal's
   * cursor or begin a line their escapes stand there.
   */
  public static String printable(String text) {
    if (text.length() > MOST) {
      return printable(text.substring(0, MOST)) + "...";
    }
    StringBuilder printable = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> printable.append("\\n");
                case '\r' -> printable.append("\\r");
                case '\t' -> printable.append("\\t");
                default -> {
                  if (UNPRINTED.contains((byte) Character.getType(c)) || isDirection(c)) {
                    printable.append(String.format(Locale.ROOT, "\\u%04x", c));
                  } else {
                    printable.appendCodePoint(c);
                  }
                }
              }
            });
    return printable.toString();
  }

  /** Whether a character turns the direction of those that come after it. */
  private static boolean isDirection(int c) {
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  }
}
