package org.tokentune.cli;

import java.io.PrintWriter;
import java.util.Locale;
import org.tokentune.zoo.DownloadListener;

/** Says how downloads go on: a line that is written over on a terminal, else a line each tenth. */
final class DownloadProgress implements DownloadListener {

  private final PrintWriter out;
  private String file = "";
  private long step = -1;

  // From JDK 22 on this means a terminal only with -Djdk.console=java.base, which ./tokentune
  // gives.
  @SuppressWarnings("SystemConsoleNull")
  private final boolean terminal = System.console() != null;

  DownloadProgress(PrintWriter out) {
    this.out = out;
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
}
