package org.tokentune.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadSettingsException;
import picocli.CommandLine.Option;

/** Options for looking at a training while it runs. */
final class WatchOptions {

  private static final String USUAL_PORT = "9000";

  @Option(
      names = "--tensorboard",
      paramLabel = "DIR",
      description = {
        "Also write loss, learning rate, scores, tokens a second and memory as TensorBoard's event",
        "files; a resumed training continues them, and --overwrite replaces them."
      })
  private Path events;

  @Option(
      names = "--ui",
      paramLabel = "PORT",
      arity = "0..1",
      fallbackValue = USUAL_PORT,
      description =
          "Show the training on a page that only this computer can open; port "
              + USUAL_PORT
              + " unless another is given.")
  private Integer port;

  /**
   * Reports early what would fail later.
   *
   * @param output the folder of the model
   * @param continues whether events of an earlier training may be continued, or written over
   */
  void check(Path output, boolean continues) {
    if (port != null && (port < 0 || port > 65_535)) {
      throw new BadSettingsException("--ui must be a port from 0 to 65535, got %d.", port);
    }
    if (events == null) {
      return;
    }
    if (events.toAbsolutePath().normalize().startsWith(output.toAbsolutePath().normalize())) {
      throw new BadSettingsException(
          "--tensorboard %s is in the folder of the result, which holds a model alone; name another"
              + " folder.",
          events);
    }
    new EventFiles(events).check(continues);
  }

  /** Rejects options that a cross-validation, which trains several models, does not have. */
  void checkFolds() {
    if (events != null || port != null) {
      throw new BadSettingsException(
          "--tensorboard and --ui are for one training; leave them out, or leave out --folds.");
    }
  }

  /**
   * Begins to show and to store.
   *
   * @param title of the page
   */
  TrainingCurves open(String title, PrintWriter out) {
    List<TrainingCurves.Sink> sinks = new ArrayList<>();
    if (events != null) {
      sinks.add(new EventFiles(events));
    }
    if (port != null) {
      TrainingPage page = TrainingPage.open(title, port);
      sinks.add(page);
      out.printf(Locale.ROOT, "The training is shown at %s%n", page.address());
      out.flush();
    }
    return new TrainingCurves(sinks);
  }
}
