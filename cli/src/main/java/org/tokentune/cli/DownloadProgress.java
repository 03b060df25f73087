package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import org.tokentune.zoo.DownloadListener;

/** Prints the progress of downloads: one updated line on a terminal, otherwise a line per tenth. */
final class DownloadProgress implements DownloadListener {

  private final PrintWriter out;
  private String file = "";
  private long step = -1;

  // Since JDK 22 this detects a terminal only with -Djdk.console=java.base, which ./tokentune sets.
  @SuppressWarnings("SystemConsoleNull")
  private final boolean terminal = System.console() != null;

  DownloadProgress(PrintWriter out) {
    this.out = out;
  }

  static DownloadProgress onStandardError() {
    return new DownloadProgress(new PrintWriter(System.err, true, UTF_8));
  }

  @Override
  public void onProgress(String name, long received, long total) {
    long steps = terminal ? 1000 : 10;
    long now = total > 0 ? received * steps / total : received / 100_000_000;
    if (name.equals(file) && now == step) {
      return;
    }
    file = name;
    step = now;
    out.printf(
        Locale.ROOT,
        terminal ? "\r%s: %.1f%s MB%s" : "%s: %.1f%s MB%s%n",
        name,
        received / 1e6,
        total > 0 ? String.format(Locale.ROOT, " of %.1f", total / 1e6) : "",
        terminal && received == total ? System.lineSeparator() : "");
    out.flush();
  }

  @Override
  public void onRetry(String name, String reason, int attempt, Duration pause) {
    out.printf(
        Locale.ROOT,
        "%s: attempt %d failed (%s); trying again in %.1f s%n",
        name,
        attempt,
        reason,
        pause.toMillis() / 1e3);
    out.flush();
  }
}
