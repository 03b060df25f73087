package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.tokentune.BadSettingsException;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.Hyperparameters.ClipBy;
import picocli.CommandLine.Option;

/** Options for clipping gradients. */
final class ClipOptions {

  @Option(
      names = "--clip",
      paramLabel = "NORM|none",
      converter = Clip.class,
      description = {
        "Largest norm of a step's gradients; none: not clipped, and every gradient is applied and let",
        "go as soon as it is complete. Default ${DEFAULT-VALUE}."
      })
  private double norm = Hyperparameters.defaults().clip();

  @Option(
      names = "--clip-by",
      paramLabel = "all|last|tensor",
      defaultValue = "all",
      description = {
        "Whose norm --clip limits: that of all gradients, which are all held until it is known; that",
        "of all gradients of the last step, or of this one so far if it is greater; or that of each",
        "tensor. last and tensor let every gradient go as soon as it is applied, which saves up to a",
        "float for each trained parameter. Default ${DEFAULT-VALUE}."
      })
  private ClipBy by;

  double norm() {
    return norm;
  }

  ClipBy by() {
    return by;
  }

  /** Rejects a norm that none can have. */
  void check() {
    if (!(norm > 0)) {
      throw BadSettingsException.of("clip", "must be above 0, got %s.", norm);
    }
  }

  /** Whether gradients are clipped at all. */
  boolean clips() {
    return !Double.isInfinite(norm);
  }

  /** Whether no gradient is held. */
  boolean inBackward() {
    return !clips() || by != ClipBy.ALL;
  }

  /** The options that matter for memory, as on a command line; empty for the defaults. */
  String options() {
    return !clips() ? " --clip none" : by == ClipBy.ALL ? "" : " --clip-by " + by;
  }

  void put(ObjectNode result) {
    result.put("clip", clips() ? norm : null).put("clip_by", by.toString());
  }

  /** As people read it. */
  @Override
  public String toString() {
    String how =
        switch (by) {
          case ALL -> "";
          case LAST -> " by the last step's norm";
          case TENSOR -> " by tensor";
        };
    return String.format(Locale.ROOT, "gradients %s", clips() ? "clipped" + how : "not clipped");
  }
}
