package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.BadSettingsException;
import org.tokentune.checkpoint.Checkpoints;
import org.tokentune.checkpoint.RunFolder;
import org.tokentune.objectives.Metric;
import org.tokentune.train.RunSettings;
import picocli.CommandLine.Option;

/** Options that say how a training run is watched over and kept. */
final class RunOptions {

  private static final String AUTO = "auto";
  private static final String NONE = "none";

  @Option(
      names = "--evaluate-every",
      paramLabel = "STEPS",
      description = "Validate after so many steps; default: after every epoch.")
  private int evaluateEvery;

  @Option(
      names = "--patience",
      paramLabel = "N",
      description =
          "End after N validations in a row that are no better; default: train to the last step.")
  private int patience;

  @Option(
      names = "--on-nan",
      paramLabel = "stop|skip",
      defaultValue = "stop",
      description = {
        "What to do where a loss or the norm of its gradients is not finite: stop and name the",
        "rows, or skip the step and count it; nothing is updated by it. Default ${DEFAULT-VALUE}."
      })
  private RunSettings.OnNan onNan;

  @Option(
      names = "--save-every",
      paramLabel = "STEPS",
      description = {
        "Write a checkpoint into the output folder after so many steps, and at Ctrl-C;",
        "default: none."
      })
  private int saveEvery;

  @Option(
      names = "--keep",
      paramLabel = "N",
      defaultValue = "2",
      description =
          "Checkpoints to keep, the newest; each holds the best weights so far too. Default ${DEFAULT-VALUE}.")
  private int keep;

  @Option(
      names = "--resume",
      paramLabel = "auto|DIR|none",
      defaultValue = NONE,
      description = {
        "Go on from a checkpoint, to the very weights of a run that was never broken off: from the",
        "output folder's newest where there is one (auto), from DIR, or from none.",
        "Default ${DEFAULT-VALUE}."
      })
  private String resume;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description =
          "Where every step and validation is noted, a JSON object a line; default: log.jsonl in the output folder.")
  private Path log;

  /** Says early what would be wrong later. */
  void check() {
    if (log != null) {
      new OutputFile(log).check();
    }
    if (saveEvery < 0 || keep < 1) {
      throw new BadSettingsException(
          "Checkpoints every %d steps of which %d are kept cannot be; give 1 or more.",
          saveEvery, keep);
    }
  }

  /**
   * Settings of a run in a folder.
   *
   * @param metrics that say which evaluation is best
   */
  RunSettings settings(RunFolder folder, List<Metric> metrics) {
    Checkpoints checkpoints = folder.checkpoints(keep);
    Path from =
        switch (resume) {
          case NONE -> null;
          case AUTO -> checkpoints.newest().orElse(null);
          default -> Path.of(resume);
        };
    return new RunSettings(evaluateEvery, patience, metrics, onNan, saveEvery, checkpoints, from);
  }

  /**
   * The log of a run in a folder: that of the run that is resumed is continued.
   *
   * @param begin what it begins with
   * @param labels names of the labels
   */
  TrainingLog log(RunFolder folder, RunSettings settings, ObjectNode begin, List<String> labels) {
    return new TrainingLog(
        log == null ? folder.log() : log, settings.resume() != null, begin, labels);
  }
}
