package org.tokentune;

import com.google.errorprone.annotations.FormatMethod;
import java.util.Locale;

/**
 * Reports unusable input from the user: {@link BadFileException}, {@link BadDataException} or
 * {@link BadSettingsException}, or this itself for any other kind.
 *
 * <p>The message is one sentence (or two short ones) for a person: it names the input and says how
 * to fix it. The command line prints it without a stack trace and exits with 1.
 */
public sealed class BadInputException extends RuntimeException
    permits BadFileException, BadDataException, BadSettingsException {

  /** Takes a {@link String#format} pattern and its arguments. */
  @FormatMethod
  public BadInputException(String message, Object... arguments) {
    super(Printable.message(String.format(Locale.ROOT, message, arguments)));
  }

  /** As above, with the underlying failure as the cause. */
  @FormatMethod
  public BadInputException(Throwable cause, String message, Object... arguments) {
    super(Printable.message(String.format(Locale.ROOT, message, arguments)), cause);
  }
}
