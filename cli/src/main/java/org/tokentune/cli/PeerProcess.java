package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.tokentune.BadSettingsException;

/**
 * The same training step in PyTorch, in a process of its own that makes one when it is asked to.
 */
final class PeerProcess implements AutoCloseable {

  private final Path script;
  private final Process process;
  private final BufferedWriter in;
  private final BufferedReader out;
  private final String versions;

  /**
   * Starts it; that takes some seconds.
   *
   * @param python a Python with torch and transformers
   * @param sizes as {@code peer.py} reads them
   */
  PeerProcess(String python, ObjectNode sizes) {
    try (InputStream source = PeerProcess.class.getResourceAsStream("peer.py")) {
      script = Files.createTempFile("peer", ".py");
      Files.write(script, source.readAllBytes());
      process =
          new ProcessBuilder(python, script.toString())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      in = process.outputWriter(UTF_8);
      out = process.inputReader(UTF_8);
    } catch (IOException e) {
      throw new BadSettingsException(
          e, "--peer %s cannot be run (%s); give the path of a Python.", python, e.getMessage());
    }
    versions = ask(sizes.toString());
  }

  /** Versions and threads. */
  String versions() {
    return versions;
  }

  /** Makes a step; returns nanoseconds. */
  long step() {
    return (long) (1e6 * Double.parseDouble(ask("step")));
  }

  /** Makes a step; returns the most bytes that were live in it, above the weights. */
  long peak() {
    return Long.parseLong(ask("peak"));
  }

  private String ask(String line) {
    try {
      in.write(line);
      in.newLine();
      in.flush();
      String answer = out.readLine();
      if (answer != null) {
        return answer;
      }
    } catch (IOException e) {
      // said below: the process has ended
    }
    throw new BadSettingsException(
        "The Python of --peer ended; it needs torch and transformers (pip install torch transformers).");
  }

  @Override
  public void close() {
    process.destroy();
    try {
      process.waitFor(10, TimeUnit.SECONDS);
      Files.deleteIfExists(script);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      script.toFile().deleteOnExit();
    }
  }
}
