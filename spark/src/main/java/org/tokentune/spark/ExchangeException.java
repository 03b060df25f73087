package org.tokentune.spark;

/** An exchange that cannot go on; the attempt at its steps fails, and another may succeed. */
final class ExchangeException extends Exception {

  private static final long serialVersionUID = 1;

  ExchangeException(String message) {
    super(message);
  }

  ExchangeException(Throwable cause, String message) {
    super(message, cause);
  }
}
