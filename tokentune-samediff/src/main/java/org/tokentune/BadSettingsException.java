package org.tokentune;

import com.google.errorprone.annotations.FormatMethod;

/** Reports settings that are out of range, unknown, or do not go together. */
public final class BadSettingsException extends BadInputException {

  /** Takes a {@link String#format} pattern and its arguments. */
  @FormatMethod
  public BadSettingsException(String message, Object... arguments) {
    super(message, arguments);
  }

  /** As above, with the underlying failure as the cause. */
  @FormatMethod
  public BadSettingsException(Throwable cause, String message, Object... arguments) {
    super(cause, message, arguments);
  }
}
