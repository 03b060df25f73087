package org.tokentune.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.function.Executable;

/**
 * A table of calls that an interface must refuse: each with an exception of the expected kind,
 * whose message names what is wrong. Prints what comes out.
 */
public final class Misuses {

  private final Class<? extends Exception> kind;
  private final List<String> wrong = new ArrayList<>();
  private int count;

  /** Expects exceptions of this kind. */
  public Misuses(Class<? extends Exception> kind) {
    this.kind = kind;
  }

  /**
   * Makes a call.
   *
   * @param call what is called, for the table
   * @param named what the message must name: the parameter, file or value
   */
  public Misuses refuses(String call, String named, Executable action) {
    count++;
    Throwable thrown = null;
    try {
      action.execute();
    } catch (Throwable e) { // JUnit's Executable throws any
      thrown = e;
    }
    String type = thrown == null ? "nothing" : thrown.getClass().getSimpleName();
    String message = thrown == null ? "" : String.valueOf(thrown.getMessage());
    System.out.printf(Locale.ROOT, "| `%s` | %s | %s |%n", call, type, message.replace("|", "\\|"));
    // A message may quote a text at its end.
    boolean sentence = message.matches("(?s).*[.\"]") && message.contains(named);
    if (!kind.isInstance(thrown) || !sentence) {
      wrong.add(call + ": " + type + ": " + message);
      if (thrown != null && !kind.isInstance(thrown)) {
        thrown.printStackTrace(System.err);
      }
    }
    return this;
  }

  /** Fails if any call was not refused as it should be. */
  public void check() {
    System.out.printf(
        Locale.ROOT, "%d misuses, %d not refused as they should be%n", count, wrong.size());
    assertTrue(wrong.isEmpty(), () -> String.join(System.lineSeparator(), wrong));
  }
}
