package org.tokentune;

import com.google.errorprone.annotations.FormatMethod;
import java.util.Locale;

/**
 * Something the user gave cannot be used: a file, a name, a number, a tensor's shape.
 *
 * <p>The message is one sentence (or two short ones) for a person: it names the input and says how
 * to mend it. The command line prints it without a stack trace and exits with 1.
 */
public final class BadInputException extends RuntimeException {

  /** Takes a {@link String#format} pattern and its arguments. */
  @FormatMethod
  public BadInputException(String message, Object... arguments) {
    super(Printable.message(String.format(Locale.ROOT, message, arguments)));
  }

  /** As above, keeping what failed underneath. */
  @FormatMethod
  public BadInputException(Throwable cause, String message, Object... arguments) {
    super(Printable.message(String.format(Locale.ROOT, message, arguments)), cause);
  }
}
