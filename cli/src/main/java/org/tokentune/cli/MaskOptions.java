package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.WordMasks;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.MaskedLanguageModel;
import picocli.CommandLine.Option;

/** Options for words that are hidden. */
final class MaskOptions {

  @Option(
      names = "--mask",
      paramLabel = "SHARE",
      description =
          "Of mlm: the share of a text's tokens that is hidden, as whole words; default 15%%.")
  private String share;

  @Option(
      names = "--line-by-line",
      description = {
        "Of mlm: each line or row is read for itself, cut to --max-length; default: all are joined and",
        "cut into blocks."
      })
  private boolean lineByLine;

  /** Rejects the options for other tasks. */
  void check(Objective task) {
    if (task != Objectives.MASKED_LM && (share != null || lineByLine)) {
      throw new BadSettingsException(
          "--mask and --line-by-line are for the task mlm, not for %s.", task.shortName());
    }
    share();
  }

  /** Whether texts are joined. */
  boolean joined() {
    return !lineByLine;
  }

  /** What hides words for a model. */
  WordMasks masks(MaskedLanguageModel model) {
    return new WordMasks(model.tokenizer(), share());
  }

  private double share() {
    if (share == null) {
      return WordMasks.USUAL_SHARE;
    }
    boolean number = share.matches("[0-9]+([.][0-9]+)?%?");
    double given = number ? Double.parseDouble(share.replace("%", "")) : 0;
    given = share.endsWith("%") ? given / 100 : given;
    if (!(given > 0 && given < 1)) {
      throw new BadSettingsException(
          "--mask must be a share above 0 and below 1, such as 15%%, got %s.", share);
    }
    return given;
  }

  void put(ObjectNode result) {
    result.put("mask", share());
  }
}
