package org.tokentune.cli;

import org.tokentune.BadSettingsException;
import org.tokentune.datasets.OnLong;
import org.tokentune.text.LongTexts;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options for texts that are longer than fits, of a model that scores texts. */
final class LongTextOptions {

  @Mixin private OnLongOption onLong;

  @Option(
      names = "--window-scores",
      paramLabel = "mean|max",
      description = {
        "How the scores of the windows of --on-long split become those of the text: their mean, or of",
        "each class or label the largest. Default: as the model was trained, otherwise mean."
      })
  private LongTexts.WindowScores windowScores;

  /** The settings, as far as options do not replace them. */
  LongTexts over(LongTexts model, Integer maxLength) {
    OnLong treatment = onLong.given();
    return new LongTexts(
        maxLength == null ? model.maxLength() : maxLength,
        treatment == null ? model.onLong() : treatment,
        windowScores == null ? model.windowScores() : windowScores);
  }

  /** Rejects the options for a model that does not score whole texts. */
  void checkAbsent(String task) {
    if (onLong.given() != null || windowScores != null) {
      throw new BadSettingsException(
          "--on-long and --window-scores are for classify, multilabel, regress and token, not for %s.",
          task);
    }
  }
}
