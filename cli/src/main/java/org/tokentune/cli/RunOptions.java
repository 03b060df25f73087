package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.tokentune.BadSettingsException;
import org.tokentune.files.Checkpoints;
import org.tokentune.files.RunFolder;
import org.tokentune.objectives.Metric;
import org.tokentune.train.RunSettings;
import picocli.CommandLine.Option;

/** Options for evaluating, logging, saving and resuming a training run. */
final class RunOptions {

  private static final String AUTO = "auto";
  private static final String NONE = "none";

  @Option(
      names = "--evaluate-every",
      paramLabel = "STEPS",
      description = "Steps between validations; default: validate after every epoch.")
  private int evaluateEvery;

  @Option(
      names = "--patience",
      paramLabel = "N",
      description =
          "End after N validations in a row that are no better; default: train to the last step.")
  private int patience;

  @Option(
      names = "--patience-after",
      paramLabel = "EPOCHS",
      description =
          "Epochs at the beginning whose validations do not count for --patience; default: none.")
  private int patienceAfter;

  @Option(
      names = "--min-improvement",
      paramLabel = "DIFFERENCE",
      description = {
        "By how much a validation must be better to count for --patience, such as 0.001; default: by",
        "any difference, in score or, where scores are equal, in loss."
      })
  private double minImprovement;

  @Option(
      names = "--best-by",
      paramLabel = "METRIC[,METRIC]",
      split = ",",
      hideParamSyntax = true,
      description = {
        "What decides which validation is best: loss, accuracy, macro_f1, f1, matthews, pearson,",
        "spearman or mean_squared_error, or the mean of several. Default: accuracy, for numbers the",
        "squared error, for language models and answers the loss, for GLUE its own metrics."
      })
  private List<Metric> bestBy = List.of();

  @Option(
      names = "--on-nan",
      paramLabel = "stop|skip",
      defaultValue = "stop",
      description = {
        "What to do if a loss or the norm of its gradients is not finite: stop and name the rows,",
        "or skip the step, without an update, and count it. Default ${DEFAULT-VALUE}."
      })
  private RunSettings.OnNan onNan;

  @Option(
      names = "--save-every",
      paramLabel = "STEPS",
      description = {
        "Steps between checkpoints in the output folder; one is also written at Ctrl-C.",
        "Default: no checkpoints."
      })
  private int saveEvery;

  @Option(
      names = "--keep",
      paramLabel = "N",
      defaultValue = "2",
      description =
          "How many of the newest checkpoints to keep; each includes the best weights so far. Default ${DEFAULT-VALUE}.")
  private int keep;

  @Option(
      names = "--resume",
      paramLabel = "auto|DIR|none",
      defaultValue = NONE,
      description = {
        "Resume from a checkpoint, with the same result as a run that was never interrupted: from the",
        "newest one in the output folder, if any (auto), from DIR, or from none.",
        "Default ${DEFAULT-VALUE}."
      })
  private String resume;

  @Option(
      names = "--memory-limit",
      paramLabel = "8GB",
      converter = ByteSize.class,
      description = {
        "End before the first step if parameters, the copy of their best values, optimizer state and",
        "the largest step would take more; Java's heap comes on top. Default: no limit."
      })
  private long memoryLimit;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description =
          "File for a JSON object per step and validation; default: log.jsonl in the output folder.")
  private Path log;

  /** Reports early what would fail later. */
  void check() {
    if (log != null) {
      new OutputFile(log).check();
    }
    if (saveEvery < 0 || keep < 1) {
      throw new BadSettingsException(
          "--save-every must be at least 0 and --keep at least 1, got %d and %d.", saveEvery, keep);
    }
  }

  /** Rejects options that a cross-validation, which has a folder for each fold, does not have. */
  void checkFolds() {
    if (log != null || (resumes() && !resumesNewest())) {
      throw new BadSettingsException(
          "With --folds every fold has its own log and checkpoints; leave --log out, and resume with"
              + " --resume auto.");
    }
  }

  /** Rejects options that need validation rows. */
  void checkNoValidation() {
    if (evaluateEvery > 0 || patience > 0 || minImprovement > 0 || !bestBy.isEmpty()) {
      throw new BadSettingsException(
          "--evaluate-every, --patience, --min-improvement and --best-by need validation rows; leave them"
              + " out, or give some with --validation.");
    }
  }

  /** Whether a checkpoint is to be resumed from, if there is one. */
  boolean resumes() {
    return !resume.equals(NONE);
  }

  /** Whether that is the newest checkpoint in the output folder. */
  boolean resumesNewest() {
    return resume.equals(AUTO);
  }

  /**
   * The run folder of the checkpoint that is named; empty if none is, or it is in no such folder.
   */
  Optional<Path> named() {
    return resume.equals(AUTO) || resume.equals(NONE)
        ? Optional.empty()
        : RunFolder.ofCheckpoint(Path.of(resume));
  }

  /** Whether the run goes on from a checkpoint in this folder. */
  boolean resumesIn(Path folder) {
    return resumesNewest()
        ? RunFolder.newestCheckpoint(folder).isPresent()
        : named().filter(folder.toAbsolutePath().normalize()::equals).isPresent();
  }

  /**
   * Settings of a run in a folder.
   *
   * @param metrics whose mean decides which evaluation is best, unless --best-by names others
   */
  RunSettings settings(RunFolder folder, List<Metric> metrics) {
    Checkpoints checkpoints = folder.checkpoints(keep);
    Path from =
        switch (resume) {
          case NONE -> null;
          case AUTO -> checkpoints.newest().orElse(null);
          default -> Path.of(resume);
        };
    return new RunSettings(
        evaluateEvery,
        patience,
        patienceAfter,
        minImprovement,
        bestBy.isEmpty() ? metrics : bestBy,
        onNan,
        saveEvery,
        checkpoints,
        from);
  }

  /** The limit of the whole training's memory. */
  MemoryLimit memoryLimit() {
    return new MemoryLimit(memoryLimit);
  }

  /**
   * The log of a run in a folder; the log of a resumed run is continued.
   *
   * @param begin fields of its first line
   * @param labels names of the labels
   */
  TrainingLog log(RunFolder folder, RunSettings settings, ObjectNode begin, List<String> labels) {
    return new TrainingLog(
        log == null ? folder.log() : log, settings.resume() != null, begin, labels);
  }
}
