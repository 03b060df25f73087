package org.tokentune;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Runs with output suppressed: SameDiff's gradient function prints a line for every op. */
public final class Quiet {

  private Quiet() {}

  public static void run(Runnable body) {
    PrintStream out = System.out;
    try (PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
      System.setOut(nowhere);
      body.run();
    } finally {
      System.setOut(out);
    }
  }
}
