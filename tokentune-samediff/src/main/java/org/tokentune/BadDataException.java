package org.tokentune;

import com.google.errorprone.annotations.FormatMethod;

/**
 * Reports rows of a data set that cannot be trained on, scored or predicted: texts, labels or
 * columns.
 */
public final class BadDataException extends BadInputException {

  /** Takes a {@link String#format} pattern and its arguments. */
  @FormatMethod
  public BadDataException(String message, Object... arguments) {
    super(message, arguments);
  }

  /** As above, with the underlying failure as the cause. */
  @FormatMethod
  public BadDataException(Throwable cause, String message, Object... arguments) {
    super(cause, message, arguments);
  }
}
