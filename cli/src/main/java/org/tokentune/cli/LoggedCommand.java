package org.tokentune.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.BadFileException;
import picocli.CommandLine;

/**
 * A command that another one ran, its output in a log file.
 *
 * @param code its exit code
 * @param seconds it took
 * @param message the last thing it said; empty if it ended well
 */
record LoggedCommand(int code, double seconds, String message) {

  /** The exit code of a command that Ctrl-C ended. */
  static final int INTERRUPTED = 130;

  /** Runs a command in this process. */
  static LoggedCommand run(Path log, List<String> arguments) {
    System.gc(); // frees the memory of the command before, which is outside of the heap
    long start = System.nanoTime();
    int code;
    try (PrintWriter printed =
        new PrintWriter(Files.newBufferedWriter(log, StandardCharsets.UTF_8))) {
      CommandLine commands = TokenTune.commands();
      commands.setOut(printed);
      commands.setErr(printed);
      code = TokenTune.run(commands, arguments.toArray(String[]::new));
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s.", log, e.getMessage());
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return new LoggedCommand(code, seconds, code == 0 ? "" : message(log, code));
  }

  private static String message(Path log, int code) {
    try {
      return Files.readAllLines(log).stream()
          .filter(text -> !text.isBlank() && !text.startsWith("See tokentune"))
          .reduce("it ended with code " + code, (first, second) -> second);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", log, e.getMessage());
    }
  }

  boolean interrupted() {
    return code == INTERRUPTED;
  }
}
