package org.tokentune.server;

import java.time.Duration;

/** When a request must be answered. */
record Deadline(long nanoTime, int seconds) {

  static Deadline in(int seconds) {
    return new Deadline(System.nanoTime() + Duration.ofSeconds(seconds).toNanos(), seconds);
  }

  /** Nanoseconds that are left. */
  long left() {
    return nanoTime - System.nanoTime();
  }

  ApiException passed() {
    return ApiException.later(
        503,
        "timeout",
        "The answer was not ready after %d seconds; ask for less, or try later.",
        seconds);
  }
}
