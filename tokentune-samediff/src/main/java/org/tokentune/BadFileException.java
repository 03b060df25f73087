package org.tokentune;

import com.google.errorprone.annotations.FormatMethod;

/**
 * Reports a file, a folder or a download that is missing, damaged or not supported, or that cannot
 * be written.
 */
public final class BadFileException extends BadInputException {

  /** Takes a {@link String#format} pattern and its arguments. */
  @FormatMethod
  public BadFileException(String message, Object... arguments) {
    super(message, arguments);
  }

  /** As above, with the underlying failure as the cause. */
  @FormatMethod
  public BadFileException(Throwable cause, String message, Object... arguments) {
    super(cause, message, arguments);
  }
}
