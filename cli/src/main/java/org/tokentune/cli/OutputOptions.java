package org.tokentune.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.files.ModelWriter;
import org.tokentune.files.RunFolder;
import org.tokentune.formats.ModelFolder;
import picocli.CommandLine.Option;

/** Options for the folder of the result, in which no model is replaced unless the user says so. */
final class OutputOptions {

  static final String OVERWRITE = "--overwrite";

  private static final String NAME = "tokentune-model";

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description = {
        "Folder of the result; default: " + NAME + ", or the first of " + NAME + "-2, " + NAME,
        "-3 and so on that does not exist."
      })
  private Path output;

  @Option(
      names = OVERWRITE,
      description = {
        "Replace the model in --output when the new one is complete, and remove the checkpoints of",
        "its training. Without it a folder that holds a model or checkpoints is refused, except by",
        "--resume."
      })
  private boolean overwrite;

  /**
   * The folder that is named; otherwise that of the training to resume, or the first of the default
   * folders that does not exist. The training to resume without a name is the last of the default
   * folders that holds checkpoints.
   */
  Path folder(RunOptions run) {
    if (output != null) {
      return output;
    }
    if (overwrite) {
      throw new BadSettingsException(
          "%s needs --output, which names the folder to replace.", OVERWRITE);
    }
    if (run.named().isPresent()) {
      return run.named().get();
    }
    List<Path> existing =
        IntStream.iterate(1, i -> i + 1)
            .mapToObj(OutputOptions::numbered)
            .takeWhile(Files::exists)
            .toList();
    Path next = numbered(existing.size() + 1);
    return run.resumesNewest()
        ? existing.stream()
            .filter(folder -> RunFolder.newestCheckpoint(folder).isPresent())
            .reduce(next, (earlier, later) -> later)
        : next;
  }

  private static Path numbered(int number) {
    return Path.of(number == 1 ? NAME : NAME + "-" + number);
  }

  /**
   * Rejects a folder in which something would be lost, before anything is downloaded or trained.
   *
   * @throws BadInputException if it holds a model or the checkpoints of another run, or cannot be
   *     written
   */
  void check(Path folder, RunOptions run) {
    ModelWriter.checkWritable(folder);
    if (overwrite || run.resumesIn(folder)) {
      return;
    }
    if (ModelFolder.holdsModel(folder)) {
      throw new BadFileException(
          "%s already holds a model; name another folder with --output, or replace it with"
              + " %s.",
          folder, OVERWRITE);
    }
    if (RunFolder.newestCheckpoint(folder).isPresent()) {
      throw new BadFileException(
          "%s holds checkpoints of a training that has not finished; resume it with --resume auto, name"
              + " another folder with --output, or start over with %s.",
          folder, OVERWRITE);
    }
  }

  boolean overwrites() {
    return overwrite;
  }

  /** Removes the checkpoints of the training that is being replaced. */
  void clear(RunFolder folder, RunOptions run) {
    if (overwrite && !run.resumes()) {
      folder.removeCheckpoints();
    }
  }

  /** Prints the folder if it was not named. */
  void print(Path folder, PrintWriter out) {
    if (output == null) {
      out.printf(
          Locale.ROOT, "The result will be in %s (--output names another folder).%n", folder);
    }
  }
}
